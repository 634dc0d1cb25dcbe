import { closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { BUSY_RETRIES, BUSY_RETRY_MS, isBusy } from "./faults.ts";
import { MIGRATIONS } from "./migrations.ts";

/** Negative: in KiB. About 40,000 sessions; with SQLite's own 2 MiB most rotations would read their page again. */
const CACHE_SIZE = -16_384;

/**
 * Opens the file, made if missing for its owner alone, and brings its schema up to date. Blocks while other processes
 * do the same, for about 2 s.
 * @throws whatever node:fs and node:sqlite throw; the file is closed again by then
 */
export function openDatabase(path: string): DatabaseSync {
  // Absolute, so that SQLite reads it neither as ":memory:" nor as a "file:" URI.
  const file = resolve(path);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // Made here because SQLite would make it readable to all; its -wal and -shm take over the mode of the file.
  closeSync(openSync(file, "a", 0o600));
  for (let retries = 0; ; retries += 1) {
    try {
      return openOnce(file);
    } catch (error) {
      // SQLite's own busy handler does not cover the switch to WAL, which two processes may both try.
      if (!isBusy(error) || retries === BUSY_RETRIES) throw error;
    }
    sleep(BUSY_RETRY_MS);
  }
}

/** How the schema of a file stands. Reads only; a file that is not there has version 0. */
export interface SchemaState {
  readonly version: number;
  /** The version that this package brings. */
  readonly known: number;
  /** The SQL that leads from one to the other, a text for each version. */
  readonly pending: readonly string[];
}

/** @throws what the file system or SQLite says of a file that cannot be read */
export function schemaOfDatabase(path: string): SchemaState {
  const file = resolve(path);
  const version = existsSync(file) ? versionOfFile(file) : 0;
  return { version, known: MIGRATIONS.length, pending: MIGRATIONS.slice(version) };
}

function versionOfFile(file: string): number {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return schemaVersion(database);
  } finally {
    database.close();
  }
}

function openOnce(file: string): DatabaseSync {
  const database = new DatabaseSync(file);
  try {
    configure(database);
    migrate(database);
    return database;
  } catch (error) {
    // This also rolls back a migration that was begun.
    database.close();
    throw error;
  }
}

function configure(database: DatabaseSync): void {
  // Waiting inside SQLite would stop the event loop; GroupCommit waits outside it.
  database.exec("PRAGMA busy_timeout = 0");
  const mode = database.prepare("PRAGMA journal_mode = WAL").get()?.journal_mode;
  if (mode !== "wal") throw new Error(`SQLite cannot use a write-ahead log here (journal_mode is ${mode}).`);
  database.exec(`
    PRAGMA synchronous = FULL;
    PRAGMA cache_size = ${CACHE_SIZE};
    PRAGMA foreign_keys = ON;
    PRAGMA trusted_schema = OFF;
  `);
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

/** Opening is synchronous, and happens once, before there is anything to serve. */
function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
