import { randomBytes } from "node:crypto";
import pg from "pg";
import { POSTGRES_CONNECTIONS } from "../packages/wallet-session/src/limits.ts";
import { type BareSwaps, IN_FLIGHT } from "./rotations.ts";

const CLIENT = '{"browser":"Firefox 140","os":"Linux","device":null,"ip":"203.0.113.0"}';
const COLUMNS = `id, actor_id, transport, generation, secret_hash, salt, retry_key_hash, created_at, rotated_at,
  idle_expires_at, expires_at, revoked_at, revoked_reason, binding, client`;

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
  const now = Date.now();
  const end = now + 604_800_000;
  const salt = randomBytes(16);
  const rows = Array.from({ length: IN_FLIGHT }, () => ({
    id: randomBytes(16),
    generation: 1,
    hash: randomBytes(32),
  }));
  const actor = "GBRPYHIL2CI3FNQ4BXLFMNDLFJUNPU2HY3ZMFSHONUCEOASW7QC7OX2H";
  for (const { id, generation, hash } of rows) {
    await pool.query(
      `INSERT INTO ${schema}.sessions VALUES ($1, $2, 'body', $3, $4, $5, $4, $6, $6, $7, $8, NULL, NULL, NULL, $9)`,
      [id, actor, generation, hash, salt, now, end, 2 * end, CLIENT],
    );
  }
  const text = `UPDATE ${schema}.sessions SET generation = generation + 1, secret_hash = $5, salt = $6, retry_key_hash = $7,
      rotated_at = $8, idle_expires_at = LEAST($9, expires_at)
    WHERE id = $1 AND transport = $2 AND generation = $3 AND secret_hash = $4
      AND revoked_at IS NULL AND idle_expires_at > $8 AND expires_at > $8
    RETURNING ${COLUMNS}`;

  return {
    async swap(each) {
      await Promise.all(
        rows.map(async (row) => {
          for (let n = 0; n < each; n += 1) {
            const hash = Buffer.from(row.hash);
            hash[0] = (hash[0] ?? 0) + 1;
            const { rowCount } = await pool.query({
              name: "swap",
              text,
              values: [row.id, "body", row.generation, row.hash, hash, salt, hash, now, end],
            });
            if (rowCount !== 1) throw new Error("the bare swap did not match");
            Object.assign(row, { generation: row.generation + 1, hash });
          }
        }),
      );
    },
    async close() {
      await pool.query(`DROP SCHEMA ${schema} CASCADE`);
      await pool.end();
    },
  };
}
