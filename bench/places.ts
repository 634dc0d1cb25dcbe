import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { createMemoryStore } from "../packages/wallet-session/src/stores/memory.ts";
import { openPostgresStore } from "../packages/wallet-session/src/stores/postgres.ts";
import { startOwnServer } from "../packages/wallet-session/src/stores/redis/own-server.fixture.ts";
import { openRedisStore } from "../packages/wallet-session/src/stores/redis.ts";
import { openSqliteStore } from "../packages/wallet-session/src/stores/sqlite.ts";
import type { Place } from "./many-sessions.ts";

export const POSTGRES_URL = process.env.POSTGRES_URL || "postgres://postgres@127.0.0.1:5432/postgres";

export async function inMemory(): Promise<Place> {
  return { store: createMemoryStore(), bytes: () => process.memoryUsage().heapUsed, remove() {} };
}

export async function onSqlite(): Promise<Place> {
  const directory = mkdtempSync(join(tmpdir(), "wallet-session-bench-"));
  const path = join(directory, "sessions.db");
  return {
    store: openSqliteStore({ path }),
    bytes: () => statSync(path, { throwIfNoEntry: false })?.size ?? 0,
    remove: () => rmSync(directory, { recursive: true }),
  };
}

export async function onPostgres(): Promise<Place> {
  const schema = `wallet_session_bench_${randomBytes(6).toString("hex")}`;
  return {
    store: openPostgresStore({ url: POSTGRES_URL, schema }),
    // With its indexes.
    bytes: async () =>
      Number((await query(`SELECT pg_total_relation_size('${schema}.sessions') AS bytes`)).rows[0].bytes),
    remove: async () => void (await query(`DROP SCHEMA ${schema} CASCADE`)),
  };
}

/** On a server of its own, which has each write on disk before it answers. */
export async function onRedis(): Promise<Place> {
  const server = await startOwnServer("--appendonly", "yes", "--appendfsync", "always");
  return {
    store: openRedisStore({ url: server.url }),
    bytes: async () => Number(/^used_memory:(\d+)/m.exec(`${await server.command("INFO", "memory")}`)?.[1]),
    remove: () => server.end(),
  };
}

async function query(text: string): Promise<pg.QueryResult> {
  const client = new pg.Client(POSTGRES_URL);
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}
