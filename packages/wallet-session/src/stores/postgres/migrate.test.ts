import { expect, onTestFinished, test } from "vitest";
import { assertRow, create, newSession, START, swapOf } from "../../testing/store-conformance-fixtures.ts";
import { migratePostgres, openPostgresStore, schemaOfPostgres } from "../postgres.ts";
import * as sql from "../sql/rows.ts";
import { temporaryDatabase } from "./database.fixture.ts";
import { MIGRATIONS, migrationsFrom } from "./migrations.ts";

const database = temporaryDatabase();

test("of 8 processes that start at once on an empty database, all work", async () => {
  const schema = database.newSchema();
  const stores = Array.from({ length: 8 }, () => openPostgresStore({ url: database.url, schema }));
  await Promise.all(stores.map((store) => store.ping()));
  await Promise.all(stores.map((store) => store.close()));
  const { rows } = await database.query(`SELECT version FROM ${schema}.schema_version`);
  expect(rows).toEqual([{ version: `${MIGRATIONS.length}` }]);
});

const known = MIGRATIONS.length;

/** As a newer version of the package would leave the schema. */
async function makeNewer(schema: string, worksWith: number): Promise<void> {
  await database.query(
    `UPDATE ${schema}.schema_version SET version = ${known + 1}, works_with = ${worksWith}`,
  );
}

test("a schema of a newer version that works with this one is used as it is", async () => {
  const schema = database.newSchema();
  await migratePostgres({ url: database.url, schema });
  await makeNewer(schema, known);
  for (const migrate of ["auto", "check"] as const) {
    const store = openPostgresStore({ url: database.url, schema, migrate });
    await create(store, migrate);
    await store.close();
  }
  expect(await migratePostgres({ url: database.url, schema })).toEqual({ from: known + 1, to: known + 1 });
  const state = { version: known + 1, known, pending: [] };
  expect(await schemaOfPostgres({ url: database.url, schema })).toEqual(state);
});

test("a schema of a newer version that does not is refused, says so, and is left as it is", async () => {
  const schema = database.newSchema();
  const first = openPostgresStore({ url: database.url, schema });
  await first.ping();
  await makeNewer(schema, known + 1);
  const second = openPostgresStore({ url: database.url, schema });
  await expect(second.ping()).rejects.toThrow(
    `The database has schema version ${known + 1}; this version of wallet-session knows ${known}.`,
  );
  // One that was at work before goes on.
  await first.ping();
  // And once it is as it should be, the next step of the other finds out.
  await database.query(`UPDATE ${schema}.schema_version SET version = ${known}`);
  await second.ping();
  await Promise.all([first.close(), second.close()]);
});

test("a process that may not migrate says what to do, and works as soon as somebody has done it", async () => {
  const schema = database.newSchema();
  const store = openPostgresStore({ url: database.url, schema, migrate: "check" });
  await expect(store.ping()).rejects.toThrow("run npx wallet-session migrate");
  expect(await schemaOfPostgres({ url: database.url, schema })).toMatchObject({ version: 0, known });
  const steps: number[] = [];
  const onStep = (version: number) => void steps.push(version);
  expect(await migratePostgres({ url: database.url, schema, onStep })).toEqual({ from: 0, to: known });
  expect(steps).toEqual(Array.from({ length: known }, (_, index) => index + 1));
  await store.ping();
  await store.close();
  expect(await migratePostgres({ url: database.url, schema })).toEqual({ from: known, to: known });
});

test("the pending statements, run by hand, make the same schema", async () => {
  const [schema, byHand] = [database.newSchema(), database.newSchema()];
  await migratePostgres({ url: database.url, schema });
  const { pending } = await schemaOfPostgres({ url: database.url, schema: byHand });
  expect(pending).toHaveLength(known);
  for (const text of pending) await database.query(text);
  expect(await columnsOf(byHand)).toEqual(await columnsOf(schema));
  expect(await schemaOfPostgres({ url: database.url, schema: byHand })).toEqual({
    version: known,
    known,
    pending: [],
  });
});

async function columnsOf(schema: string): Promise<unknown[]> {
  const { rows } = await database.query(
    `SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
     WHERE table_schema = $1 ORDER BY 1, 2`,
    [schema],
  );
  return rows;
}

test("processes of version 1 go on beside this version, on the same sessions, before, while and after it migrates", async () => {
  const schema = database.newSchema();
  const [versionOne = ""] = migrationsFrom(0, schema);
  await database.query(`CREATE SCHEMA ${schema}; ${versionOne}`);
  const old = await database.connect();
  onTestFinished(() => old.end());
  const session = newSession("a");
  const values = sql.encodeSession(session, 1);
  await old.query(
    `INSERT INTO ${schema}.sessions (${sql.SESSION_COLUMNS}, examine_at)
     VALUES (${values.map((_, index) => `$${index + 1}`).join(", ")}, 0)`,
    values,
  );
  const store = openPostgresStore({ url: database.url, schema });
  onTestFinished(() => store.close());
  await assertRow(store, session);
  const swap = swapOf(session, "a");
  expect((await store.rotate(swap)).outcome).toBe("rotated");
  // As version 1 rotates and revokes.
  await old.query(
    `UPDATE ${schema}.sessions SET generation = generation + 1, rotated_at = $1 WHERE id = $2 AND revoked_at IS NULL`,
    [START + 1, values[0]],
  );
  await old.query(
    `WITH ended AS (
       UPDATE ${schema}.sessions SET revoked_at = $1, revoked_reason = $2 WHERE id = $3 AND revoked_at IS NULL RETURNING id
     ), counted AS (
       UPDATE ${schema}.revocation_counter SET last_position = last_position + (SELECT count(*) FROM ended)
       WHERE EXISTS (SELECT 1 FROM ended) RETURNING last_position
     )
     INSERT INTO ${schema}.revocations (position, session_id, revoked_at)
     SELECT counted.last_position + 1 - row_number() OVER (), ended.id, $1 FROM ended CROSS JOIN counted`,
    [START + 2, "ended", values[0]],
  );
  expect(await store.findSession(session.id)).toMatchObject({ generation: 3, revokedReason: "ended" });
  expect(await store.revocationsAfter(0, 10)).toMatchObject({ entries: [{ sessionId: session.id }], end: 1 });
});

test("a migration that fails leaves nothing behind", async () => {
  const schema = database.newSchema();
  await database.query(`CREATE SCHEMA ${schema}`);
  await database.query(`CREATE TABLE ${schema}.signing_keys (mine text)`);
  const store = openPostgresStore({ url: database.url, schema });
  await expect(store.ping()).rejects.toThrow('relation "signing_keys" already exists');
  await store.close();
  const { rows } = await database.query("SELECT tablename FROM pg_tables WHERE schemaname = $1", [schema]);
  expect(rows).toEqual([{ tablename: "signing_keys" }]);
});

test("a role that may make no schema works in one that was made for it", async () => {
  const schema = database.newSchema();
  const role = `role_${database.name}`;
  await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'a password'`);
  await database.query(`CREATE SCHEMA ${schema} AUTHORIZATION ${role}`);
  const url = Object.assign(new URL(database.url), { username: role, password: "a password" }).href;
  const store = openPostgresStore({ url, schema });
  await store.ping();
  await store.close();
  await database.query(`DROP SCHEMA ${schema} CASCADE`);
  await database.query(`DROP ROLE ${role}`);
});
