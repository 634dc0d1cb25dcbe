import { randomBytes } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { type BareSwaps, IN_FLIGHT } from "./rotations.ts";

const CLIENT = '{"browser":"Firefox 140","os":"Linux","device":null,"ip":"203.0.113.0"}';

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
    "INSERT INTO sessions VALUES (?, 'GBRPYHIL2CI3FNQ4BXLFMNDLFJUNPU2HY3ZMFSHONUCEOASW7QC7OX2H', 'body', ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, ?)",
  );
  const swap = database.prepare(
    `UPDATE sessions SET generation = ?, secret_hash = ?, salt = ?, retry_key_hash = ?,
       rotated_at = ?5, idle_expires_at = min(?, expires_at)
     WHERE id = ? AND transport = ? AND generation = ? AND secret_hash = ?
       AND revoked_at IS NULL AND idle_expires_at > ?5 AND expires_at > ?5
     RETURNING *`,
  );
  const now = Date.now();
  const end = now + 604_800_000;
  const salt = randomBytes(16);
  const rows = Array.from({ length: IN_FLIGHT }, () => ({
    id: randomBytes(16),
    generation: Buffer.alloc(4),
    hash: randomBytes(32),
  }));
  for (const { id, generation, hash } of rows) {
    insert.run(id, generation, hash, salt, hash, now, now, end, 2 * end, CLIENT);
  }
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");
  const group = () => {
    begin.run();
    for (const row of rows) {
      const generation = Buffer.from(row.generation);
      generation.writeUInt32BE(row.generation.readUInt32BE() + 1);
      const hash = Buffer.from(row.hash);
      hash[0] = (hash[0] ?? 0) + 1;
      const swapped = swap.get(
        generation,
        hash,
        salt,
        hash,
        now,
        end,
        row.id,
        "body",
        row.generation,
        row.hash,
      );
      if (swapped === undefined) throw new Error("the bare swap did not match");
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
