import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client } from "pg";
import { afterAll, beforeAll, beforeEach, onTestFinished } from "vitest";
import type { SqlDatabaseUrl } from "wallet-session/internal/databases";
import {
  type TemporaryDatabase,
  temporaryDatabase,
} from "../../../packages/wallet-session/src/stores/postgres/database.fixture.ts";
import type { Schema } from "./schema.ts";
import { openSql } from "./sql.ts";

/** A database in memory is SQLite too, by the same driver. One test of its own shows that it works. */
export type DatabaseKind = "sqlite" | "postgres";

/** On which the tests run: on PostgreSQL where there is one (vitest.config.ts). */
export const DATABASES: readonly DatabaseKind[] = process.env.WITHOUT_POSTGRES
  ? ["sqlite"]
  : ["sqlite", "postgres"];

/** Statements that make the database of an earlier version, with one stream in it. */
export const EARLIER_DATABASE = readFileSync(
  new URL("./earlier-database.fixture.sql", import.meta.url),
  "utf8",
);

/** Where the tables of one test stand. */
export interface Place {
  readonly url: SqlDatabaseUrl;
  /** On PostgreSQL alone. */
  readonly schema?: string | undefined;
}

/**
 * Gives each test a place that is empty. To be called where tests are collected: what they share, it makes before them and
 * drops after them.
 */
export function emptyPlaces(kind: DatabaseKind): () => Place {
  switch (kind) {
    case "sqlite":
      return () => ({ url: { kind, path: join(temporaryDirectory(), "new", "streams.db") } });
    case "postgres":
      return emptiedSchema(temporaryDatabase());
  }
}

const TABLES = [
  "operation_steps",
  "operations",
  "operation_turns",
  "stream_ledger",
  "stream_history",
  "stream_settlements",
  "streams",
  "idempotent_answers",
] as const satisfies readonly (keyof Schema)[];

/** One schema for all tests, emptied before each: to make one takes longer than most of them. */
function emptiedSchema(database: TemporaryDatabase): () => Place {
  const schema = database.newSchema();
  const { promise: connected, resolve } = Promise.withResolvers<Client>();
  beforeAll(async () => resolve(await database.connect()));
  afterAll(async () => (await connected).end());
  beforeEach(async () => {
    const client = await connected;
    const made = await client.query("SELECT 1 FROM pg_tables WHERE schemaname = $1", [schema]);
    if (made.rowCount === 0) return;
    const deletes = TABLES.map((table) => `DELETE FROM ${schema}.${table};`);
    await client.query(`${deletes.join("")} UPDATE ${schema}.positions SET last = 0`);
  });
  return () => ({ url: { kind: "postgres", url: database.url }, schema });
}

/** Opens the app's tables in a PostgreSQL, in a schema of their own unless told otherwise, until the test ends. */
export function openerOf(database: TemporaryDatabase) {
  return async ({ url = database.url, schema = database.newSchema(), mayMigrate = true } = {}) => {
    const faults: unknown[] = [];
    const onFault = (fault: unknown) => faults.push(fault);
    const sql = await openSql({ kind: "postgres", url }, onFault, { schema, mayMigrate });
    onTestFinished(() => sql.close());
    return { sql, schema, faults };
  };
}

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "streampay-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}
