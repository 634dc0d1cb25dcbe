import type { SessionStore } from "../store.ts";
import type { SchemaState } from "./schema-state.ts";
import { openDatabase, schemaOfDatabase } from "./sqlite/migrate.ts";
import { createSqliteStore } from "./sqlite/store.ts";

export interface SqliteStoreOptions {
  /** The database file. It and its directory are made if missing, readable by their owner alone. */
  readonly path: string;
}

/**
 * Opens the embedded default store: one SQLite file, by `node:sqlite`, with a write-ahead log and `synchronous=FULL`.
 *
 * A promise of a write resolves after the fsync that made it durable. Writes asked for at the same moment share one
 * transaction and one fsync. Any number of processes on one machine may open the same file; a write that finds the
 * file locked is tried again for about 2 s, without blocking the event loop, and then rejects. Not for network file
 * systems, on which SQLite's locks do not hold.
 *
 * Opening migrates the schema and may block for as long as other processes do the same.
 *
 * @throws what the file system or SQLite says when the file cannot be opened, is no database, or was written by a
 * newer version of this package
 *
 * @example
 * ```ts
 * import { openSqliteStore } from "wallet-session/stores/sqlite";
 *
 * export const store = openSqliteStore({ path: "data/sessions.db" });
 * ```
 */
export function openSqliteStore(options: SqliteStoreOptions): SessionStore {
  return createSqliteStore(openDatabase(options.path));
}

/**
 * How the schema of a file stands. Reads only.
 * @throws what the file system or SQLite says when the file cannot be read
 */
export function schemaOfSqlite({ path }: SqliteStoreOptions): SchemaState {
  return schemaOfDatabase(path);
}

/**
 * Brings the schema of a file up to date, as opening it does; made if missing. Returns the versions before and after.
 * @throws as `openSqliteStore`
 */
export function migrateSqlite({ path }: SqliteStoreOptions): { from: number; to: number } {
  const { version, known } = schemaOfDatabase(path);
  openDatabase(path).close();
  return { from: version, to: known };
}
