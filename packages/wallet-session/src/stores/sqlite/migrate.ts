import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { openDatabaseFile, sqliteOfNode } from "../../databases/sqlite.ts";
import type { SchemaState } from "../schema-state.ts";
import { MIGRATIONS } from "./migrations.ts";

/**
 * Opens the file, made if missing for its owner alone, and brings its schema up to date. Blocks while other processes
 * do the same, for about 2 s.
 * @throws what node:fs and node:sqlite throw, and an Error for a schema of a newer version; the file is closed again by then
 */
export function openDatabase(path: string, busyRetries?: number): DatabaseSync {
  return openDatabaseFile(path, {}, migrate, busyRetries);
}

/** Reads only; a file that is missing has version 0. @throws what the file system or SQLite says of a file that cannot be read */
export function schemaOfDatabase(path: string): SchemaState {
  const file = resolve(path);
  const version = existsSync(file) ? versionOfFile(file) : 0;
  return { version, known: MIGRATIONS.length, pending: MIGRATIONS.slice(version) };
}

function versionOfFile(file: string): number {
  const database = new (sqliteOfNode().DatabaseSync)(file, { readOnly: true });
  try {
    return schemaVersion(database);
  } finally {
    database.close();
  }
}

function migrate(database: DatabaseSync): void {
  if (schemaVersion(database) === MIGRATIONS.length) return;
  database.exec("BEGIN IMMEDIATE");
  // Read again under the write lock: another process may have migrated meanwhile.
  const version = schemaVersion(database);
  if (version > MIGRATIONS.length) {
    throw new Error(
      `The database has schema version ${version}; this version of wallet-session knows ${MIGRATIONS.length}.`,
    );
  }
  for (const statements of MIGRATIONS.slice(version)) database.exec(statements);
  database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  database.exec("COMMIT");
}

function schemaVersion(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.user_version);
}
