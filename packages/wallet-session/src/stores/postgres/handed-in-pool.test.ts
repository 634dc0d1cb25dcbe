import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { readingInt8 } from "../../databases/postgres.ts";
import type { SessionStore } from "../../store.ts";
import { create, START, swapOf } from "../../testing/store-conformance-fixtures.ts";
import { storeConformance } from "../../testing.ts";
import { migratePostgres, openPostgresStore, schemaOfPostgres } from "../postgres.ts";
import { temporaryDatabase } from "./database.fixture.ts";

const database = temporaryDatabase();

/** As a program has it that reads its own numbers in its own way. */
function newPool(settings: pg.PoolConfig = {}): pg.Pool {
  const types = readingInt8(pg.types.getTypeParser, BigInt);
  const pool = new pg.Pool({ connectionString: database.url, types, ...settings });
  pool.on("error", () => {});
  return pool;
}

function open(pool: pg.Pool, schema = database.newSchema()) {
  const store = openPostgresStore({ pool, schema });
  onTestFinished(() => store.close());
  return { store, schema };
}

function poolOfTest(settings?: pg.PoolConfig): pg.Pool {
  const pool = newPool(settings);
  onTestFinished(() => pool.end());
  return pool;
}

describe("PostgreSQL store on a pool of the caller's", () => {
  const schemas = new WeakMap<SessionStore, string>();
  let pool: pg.Pool;
  beforeAll(() => {
    pool = newPool({ max: 20 });
  });
  afterAll(() => pool.end());
  const openIn = async (schema: string) => {
    const store = openPostgresStore({ pool, schema });
    schemas.set(store, schema);
    return store;
  };
  storeConformance({
    test,
    open: async () => openIn(await database.emptySchema()),
    openAnother: (first) => openIn(schemas.get(first) ?? ""),
  });
});

test("close leaves the pool open, and gives all its connections back", async () => {
  const pool = poolOfTest();
  const { store } = open(pool);
  const woken = vi.fn();
  store.watchRevocations(woken);
  await vi.waitFor(() => expect(woken).toHaveBeenCalled());
  await create(store, "a");
  await store.close();
  await vi.waitFor(() => expect(pool.totalCount).toBe(pool.idleCount));
  expect((await pool.query("SELECT 1::bigint AS one")).rows).toEqual([{ one: 1n }]);
});

test("a watch wakes on a connection of the pool, and on another one when that is lost", async () => {
  const pool = poolOfTest();
  const { store, schema } = open(pool);
  const session = await create(store, "a");
  const woken = vi.fn();
  store.watchRevocations(woken);
  await vi.waitFor(() => expect(woken).toHaveBeenCalledTimes(1));
  await store.revokeSession(session.id, { reason: "admin", revokedAt: START });
  await vi.waitFor(() => expect(woken).toHaveBeenCalledTimes(2));
  await database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = $1", [
    `LISTEN "${schema}"`,
  ]);
  await vi.waitFor(() => expect(woken).toHaveBeenCalledTimes(3), { timeout: 10_000 });
});

test("connections that are lost while steps hold them end neither the process nor the step", async () => {
  const pool = poolOfTest();
  const { store, schema } = open(pool);
  let session = await create(store, "a");
  const holder = await database.connect();
  onTestFinished(() => holder.end());
  await holder.query("BEGIN");
  await holder.query(`LOCK TABLE ${schema}.sessions IN SHARE MODE`);
  const rotating = store.rotate(swapOf(session, "a"));
  await database.someoneWaits(holder);
  await holder.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()",
    [database.name],
  );
  await holder.query("COMMIT");
  const outcome = await rotating;
  expect(outcome.outcome).toBe("rotated");
  session = (await store.findSession(session.id)) ?? session;
  expect(session.generation).toBe(2);
});

test("a step that gets no connection in time rejects, and the connection that comes late goes back", async () => {
  const pool = poolOfTest({ max: 1 });
  const { store } = open(pool);
  await store.ping();
  const held = await pool.connect();
  await expect(store.ping()).rejects.toThrow("no free connection");
  held.release();
  await store.ping();
  expect(pool.idleCount).toBe(1);
});

test("the schema can be read and migrated over the pool", async () => {
  const pool = poolOfTest();
  const schema = database.newSchema();
  const { known } = await schemaOfPostgres({ pool, schema });
  expect(await migratePostgres({ pool, schema })).toEqual({ from: 0, to: known });
  expect(await schemaOfPostgres({ pool, schema })).toEqual({ version: known, known, pending: [] });
});
