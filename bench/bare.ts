import { randomBytes } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { createClient, RESP_TYPES } from "@redis/client";
import pg from "pg";
import { POSTGRES_CONNECTIONS } from "../packages/wallet-session/src/limits.ts";
import { SCRIPTS } from "../packages/wallet-session/src/stores/redis/steps.ts";
import { ACTOR, CLIENT } from "./engine.ts";
import { type BareSwaps, IN_FLIGHT } from "./rotations.ts";

const CLIENT_TEXT = JSON.stringify(CLIENT);
const NOW = Date.now();
const END = NOW + 604_800_000;
const SALT = randomBytes(16);

function newRows<Row>(make: () => Row): Row[] {
  return Array.from({ length: IN_FLIGHT }, make);
}

/** Swaps each row `each` times, all rows at once. */
async function atOnce<Row>(rows: readonly Row[], each: number, swap: (row: Row) => Promise<void>) {
  await Promise.all(
    rows.map(async (row) => {
      for (let n = 0; n < each; n += 1) await swap(row);
    }),
  );
}

function nextHash(before: Buffer): Buffer {
  const hash = Buffer.from(before);
  hash[0] = (hash[0] ?? 0) + 1;
  return hash;
}

/** On PostgreSQL, through the same driver: as many connections, a prepared statement, a table of the same shape. */
export async function barePostgres(url: string, schema: string): Promise<BareSwaps> {
  const pool = new pg.Pool({ connectionString: url, max: POSTGRES_CONNECTIONS });
  await pool.query(`
    CREATE SCHEMA ${schema};
    CREATE TABLE ${schema}.sessions (
      id bytea PRIMARY KEY, actor_id text, transport text, generation bigint, secret_hash bytea, salt bytea,
      retry_key_hash bytea, created_at bigint, rotated_at bigint, idle_expires_at bigint, expires_at bigint,
      revoked_at bigint, revoked_reason text, binding text, client text
    ) WITH (fillfactor = 70);
  `);
  const rows = newRows(() => ({ id: randomBytes(16), generation: 1, hash: randomBytes(32) }));
  for (const { id, generation, hash } of rows) {
    await pool.query(
      `INSERT INTO ${schema}.sessions VALUES ($1, $2, 'body', $3, $4, $5, $4, $6, $6, $7, $8, NULL, NULL, NULL, $9)`,
      [id, ACTOR, generation, hash, SALT, NOW, END, 2 * END, CLIENT_TEXT],
    );
  }
  const text = `UPDATE ${schema}.sessions SET generation = generation + 1, secret_hash = $5, salt = $6, retry_key_hash = $7,
      rotated_at = $8, idle_expires_at = LEAST($9, expires_at)
    WHERE id = $1 AND transport = $2 AND generation = $3 AND secret_hash = $4
      AND revoked_at IS NULL AND idle_expires_at > $8 AND expires_at > $8
    RETURNING id, actor_id, transport, generation, secret_hash, salt, retry_key_hash, created_at, rotated_at,
      idle_expires_at, expires_at, revoked_at, revoked_reason, binding, client`;
  return {
    swap: (each) =>
      atOnce(rows, each, async (row) => {
        const hash = nextHash(row.hash);
        const values = [row.id, "body", row.generation, row.hash, hash, SALT, hash, NOW, END];
        const { rowCount } = await pool.query({ name: "swap", text, values });
        if (rowCount !== 1) throw new Error("the bare swap did not match");
        Object.assign(row, { generation: row.generation + 1, hash });
      }),
    async close() {
      await pool.query(`DROP SCHEMA ${schema} CASCADE`);
      await pool.end();
    },
  };
}

/** A row of Redis and what swaps it, in the layout of the store's rows.ts: body, generation 1, live for ever. */
const ROW_BYTES = 260;
const SWAP_BYTES = 138;

/** On Redis, through the same driver: one connection, one script by its hash. */
export async function bareRedis(url: string): Promise<BareSwaps> {
  const commandOptions = { timeout: 0, typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };
  const client = await createClient({ url, commandOptions }).connect();
  const end = Buffer.alloc(8);
  end.writeDoubleBE(Number.MAX_SAFE_INTEGER);
  const rows = newRows(() => {
    const row = Buffer.alloc(ROW_BYTES);
    row.writeUInt8(1, 0);
    end.copy(row, 95);
    end.copy(row, 120);
    const swap = Buffer.alloc(SWAP_BYTES);
    end.copy(swap, 130);
    return { key: Buffer.concat([Buffer.from("{wallet_session_bare}:s:"), randomBytes(16)]), row, swap };
  });
  for (const { key, row } of rows) await client.set(key, row);
  const { text, sha } = SCRIPTS.rotate;
  await client.scriptLoad(text);
  return {
    swap: (each) =>
      atOnce(rows, each, async ({ key, swap }) => {
        const next = Buffer.from(swap);
        next.writeUInt32BE(swap.readUInt32BE(1) + 1, 37);
        const [reply] = await client.sendCommand<[unknown]>(["EVALSHA", sha, "1", key, next]);
        if (!Array.isArray(reply) || reply[0] !== 1) throw new Error("the bare swap did not match");
        swap.writeUInt32BE(next.readUInt32BE(37), 1);
      }),
    async close() {
      await client.unlink(rows.map(({ key }) => key));
      client.destroy();
    },
  };
}

/** On SQLite, with the engine's settings of the file, and in groups of all rows: what waits at one moment shares one fsync. */
export function bareSqlite(path: string): BareSwaps {
  const database = new DatabaseSync(path);
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE sessions (
      id BLOB PRIMARY KEY, actor_id TEXT, transport TEXT, generation BLOB, secret_hash BLOB, salt BLOB,
      retry_key_hash BLOB, created_at INTEGER, rotated_at INTEGER, idle_expires_at INTEGER, expires_at INTEGER,
      revoked_at INTEGER, revoked_reason TEXT, client TEXT
    ) STRICT;
  `);
  const insert = database.prepare(
    "INSERT INTO sessions VALUES (?, ?, 'body', ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, ?)",
  );
  const swap = database.prepare(
    `UPDATE sessions SET generation = ?, secret_hash = ?, salt = ?, retry_key_hash = ?,
       rotated_at = ?5, idle_expires_at = min(?, expires_at)
     WHERE id = ? AND transport = ? AND generation = ? AND secret_hash = ?
       AND revoked_at IS NULL AND idle_expires_at > ?5 AND expires_at > ?5
     RETURNING *`,
  );
  const rows = newRows(() => ({ id: randomBytes(16), generation: Buffer.alloc(4), hash: randomBytes(32) }));
  for (const { id, generation, hash } of rows) {
    insert.run(id, ACTOR, generation, hash, SALT, hash, NOW, NOW, END, 2 * END, CLIENT_TEXT);
  }
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");
  const group = () => {
    begin.run();
    for (const row of rows) {
      const generation = Buffer.from(row.generation);
      generation.writeUInt32BE(row.generation.readUInt32BE() + 1);
      const hash = nextHash(row.hash);
      const values = [generation, hash, SALT, hash, NOW, END, row.id, "body", row.generation, row.hash];
      if (swap.get(...values) === undefined) throw new Error("the bare swap did not match");
      Object.assign(row, { generation, hash });
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
