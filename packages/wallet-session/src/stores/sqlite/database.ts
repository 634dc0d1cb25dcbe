import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { MIGRATIONS } from "./migrations.ts";

/** How long opening waits for other processes that open or migrate the same file. */
const OPEN_BUSY_TIMEOUT_MS = 5_000;

/**
 * Opens the file, made if missing for its owner alone, and brings its schema up to date.
 * @throws whatever node:fs and node:sqlite throw; the file is closed again by then
 */
export function openDatabase(path: string): DatabaseSync {
  // Absolute, so that SQLite reads it neither as ":memory:" nor as a "file:" URI.
  const file = resolve(path);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // Made here because SQLite would make it readable to all; its -wal and -shm take over the mode of the file.
  closeSync(openSync(file, "a", 0o600));
  const database = new DatabaseSync(file);
  try {
    database.exec(`PRAGMA busy_timeout = ${OPEN_BUSY_TIMEOUT_MS}`);
    configure(database);
    migrate(database);
    // From here on nothing may wait inside SQLite, which would stop the event loop: see GroupCommit.
    database.exec("PRAGMA busy_timeout = 0");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function configure(database: DatabaseSync): void {
  const mode = database.prepare("PRAGMA journal_mode = WAL").get()?.journal_mode;
  if (mode !== "wal") throw new Error(`SQLite cannot use a write-ahead log here (journal_mode is ${mode}).`);
  database.exec(`
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA trusted_schema = OFF;
  `);
}

function migrate(database: DatabaseSync): void {
  if (schemaVersion(database) === MIGRATIONS.length) return;
  database.exec("BEGIN IMMEDIATE");
  try {
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
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}

function schemaVersion(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.user_version);
}
