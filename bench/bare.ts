import { randomBytes } from "node:crypto";
import { createClient, RESP_TYPES } from "@redis/client";
import pg from "pg";
import { POSTGRES_CONNECTIONS } from "../packages/wallet-session/src/limits.ts";
import type { RotationSwap, SessionRecord } from "../packages/wallet-session/src/store.ts";
import { createStatements } from "../packages/wallet-session/src/stores/postgres/steps.ts";
import { openPostgresStore } from "../packages/wallet-session/src/stores/postgres.ts";
import * as redisRows from "../packages/wallet-session/src/stores/redis/rows.ts";
import { SCRIPTS } from "../packages/wallet-session/src/stores/redis/steps.ts";
import { encodeNewSessionId } from "../packages/wallet-session/src/stores/session-id.ts";
import { openDatabase } from "../packages/wallet-session/src/stores/sqlite/migrate.ts";
import { encodeGeneration, encodeSession } from "../packages/wallet-session/src/stores/sqlite/rows.ts";
import { prepareStatements } from "../packages/wallet-session/src/stores/sqlite/statements.ts";
import {
  challenge,
  newSession,
  swapOf,
} from "../packages/wallet-session/src/testing/store-conformance-fixtures.ts";
import { type BareSwaps, IN_FLIGHT } from "./rotations.ts";

// Each swap is the store's own statement on a row of the store's own, by the same driver, and nothing else.

/** A session, and the swap that comes next. */
interface Row {
  readonly id: Uint8Array;
  readonly session: SessionRecord;
  swap: RotationSwap;
}

function newRows(): Row[] {
  return Array.from({ length: IN_FLIGHT }, (_, index) => {
    const session = newSession(`${index} ${randomBytes(8).toString("hex")}`);
    return { id: encodeNewSessionId(session.id), session, swap: swapOf(session, "bare") };
  });
}

/** The swap after this one. It is to the same secret at the same time: to a database that is as much work. */
function goOn(row: Row): void {
  const { generation, nextSecretHash: secretHash } = row.swap;
  row.swap = { ...row.swap, generation: generation + 1, secretHash };
}

/** Swaps each row `each` times, all rows at once. */
async function atOnce<Each>(rows: readonly Each[], each: number, swap: (row: Each) => Promise<void>) {
  await Promise.all(
    rows.map(async (row) => {
      for (let n = 0; n < each; n += 1) await swap(row);
    }),
  );
}

function assertSwapped(swapped: boolean): void {
  if (!swapped) throw new Error("the bare swap did not match");
}

/** On as many connections as the store has. */
export async function barePostgres(url: string, schema: string): Promise<BareSwaps> {
  const rows = newRows();
  const store = openPostgresStore({ url, schema });
  for (const { session } of rows) await store.createSession(session, challenge(session.id));
  await store.close();
  const pool = new pg.Pool({ connectionString: url, max: POSTGRES_CONNECTIONS });
  const { rotate } = createStatements(schema);
  return {
    swap: (each) =>
      atOnce(rows, each, async (row) => {
        const { transport, generation, secretHash, nextSecretHash, nextSalt, now, idleExpiresAt } = row.swap;
        const next = [nextSecretHash, nextSalt, nextSecretHash, now, idleExpiresAt];
        const values = [row.id, transport, generation, secretHash, ...next, null, null];
        assertSwapped((await pool.query({ ...rotate, values })).rowCount === 1);
        goOn(row);
      }),
    async close() {
      await pool.query(`DROP SCHEMA ${schema} CASCADE`);
      await pool.end();
    },
  };
}

/** On one connection. */
export async function bareRedis(url: string): Promise<BareSwaps> {
  const commandOptions = { timeout: 0, typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };
  const client = await createClient({ url, commandOptions }).connect();
  const rows = newRows().map(({ id, session, swap }) => ({
    key: Buffer.concat([Buffer.from("{wallet_session_bare}:s:"), id]),
    row: redisRows.encodeSession(session),
    // From its secret to the same one, so that of two swaps the generation alone differs.
    swap: redisRows.encodeSwap({ ...swap, nextSecretHash: session.secretHash }),
  }));
  for (const { key, row } of rows) await client.set(key, row);
  const { text, sha } = SCRIPTS.rotate;
  await client.scriptLoad(text);
  const { SWAP } = redisRows;
  return {
    swap: (each) =>
      atOnce(rows, each, async ({ key, swap }) => {
        const [reply] = await client.sendCommand<[unknown]>(["EVALSHA", sha, "1", key, Buffer.from(swap)]);
        assertSwapped(Array.isArray(reply) && reply[0] === 1);
        const generation = swap.readUInt32BE(SWAP.next);
        swap.writeUInt32BE(generation, SWAP.generation);
        swap.writeUInt32BE(generation + 1, SWAP.next);
      }),
    async close() {
      await client.unlink(rows.map(({ key }) => key));
      client.destroy();
    },
  };
}

/** In groups of all rows: what waits at one moment shares one fsync. */
export function bareSqlite(path: string): BareSwaps {
  const database = openDatabase(path);
  const statements = prepareStatements(database);
  const rows = newRows();
  for (const { session } of rows) statements.insertSession.run(...encodeSession(session));
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");
  const group = () => {
    begin.run();
    for (const row of rows) {
      const { transport, generation, secretHash, nextSecretHash, nextSalt, now, idleExpiresAt } = row.swap;
      const next = [nextSecretHash, nextSalt, nextSecretHash, now, idleExpiresAt, null];
      const match = [row.id, transport, encodeGeneration(generation), secretHash, null];
      const swapped = statements.swap.get(encodeGeneration(generation + 1), ...next, ...match);
      assertSwapped(swapped !== undefined);
      goOn(row);
    }
    commit.run();
  };
  return {
    swap(each) {
      for (let n = 0; n < each; n += 1) group();
    },
    close: () => database.close(),
  };
}
