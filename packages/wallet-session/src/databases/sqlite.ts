import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { DatabaseSync, DatabaseSyncOptions } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { isError } from "../foreign-errors.ts";
import { UnfitStore } from "../stores/unfit-store.ts";

// Facts about SQLite and `node:sqlite`.

/**
 * `node:sqlite`, when it is needed: a module that imported it could not even be loaded by a Node without it.
 * @throws UnfitStore where this Node has none
 */
export function sqliteOfNode(): typeof import("node:sqlite") {
  const sqlite = process.getBuiltinModule("node:sqlite");
  if (sqlite !== undefined) return sqlite;
  throw new UnfitStore(`SQLite needs Node 22.13 or newer, and this is ${process.version}.`);
}

// Primary result codes (https://sqlite.org/rescode.html).
const SQLITE_BUSY = 5;
const SQLITE_CONSTRAINT = 19;
/** A wrong statement, a broken constraint, a value of the wrong type, a wrong call, a wrong parameter. */
const MISTAKES: ReadonlySet<number> = new Set([1, SQLITE_CONSTRAINT, 20, 21, 25]);

/**
 * While another connection holds the lock, a step is tried again this often, and for about 2 s. The retries are counted, so
 * that no clock is needed. SQLite's own busy handler would stop the event loop instead.
 */
export const BUSY_RETRY_MS = 5;
export const BUSY_RETRIES = 400;

/** True where another connection holds the lock: nothing happened, and a later try may succeed. */
export function isBusy(error: unknown): boolean {
  return primaryCode(error) === SQLITE_BUSY;
}

/** True for a mistake of the caller, in the statement or its values, which is no fault of the database. */
export function isMistake(error: unknown): boolean {
  const code = primaryCode(error);
  return code === null || MISTAKES.has(code);
}

/**
 * True where a failed statement undid itself and the transaction around it is as good as before: a broken constraint, or a
 * value that never reached SQLite. False on a full disk, an I/O fault or a corrupt page.
 */
export function failsAlone(error: unknown): boolean {
  const code = primaryCode(error);
  return code === null || code === SQLITE_CONSTRAINT;
}

/** The low byte of the extended code; null where the error is none of SQLite's. */
function primaryCode(error: unknown): number | null {
  if (!(isError(error) && "errcode" in error)) return null;
  return typeof error.errcode === "number" ? error.errcode & 0xff : null;
}

/**
 * Runs a read, and runs it again where the database is busy. In WAL mode that is rare: while a log is recovered or removed.
 * @param isBusyFault for a caller that wraps what SQLite throws
 * @throws what the read throws, `isBusy` too once the retries are used up
 */
export async function whenFree<Output>(read: () => Output, isBusyFault = isBusy): Promise<Output> {
  for (let retries = 0; ; retries += 1) {
    try {
      return read();
    } catch (error) {
      if (!isBusyFault(error) || retries === BUSY_RETRIES) throw error;
    }
    await setTimeout(BUSY_RETRY_MS);
  }
}

/** Negative: in KiB. About 40,000 sessions; with SQLite's own 2 MiB most rotations would read their page again. */
const CACHE_SIZE = -16_384;

/**
 * Opens a database file with a write-ahead log and `synchronous=FULL`, so that a commit is on disk when it returns. The file
 * and its directory are made if missing, for their owner alone. Blocks the event loop while other processes open the same
 * file, for about 2 s.
 * @param busyRetries how often opening is tried again, 5 ms apart, while other processes do the same
 * @param prepare runs on the connection before it is returned, for a schema; where it finds the database busy, all begins again
 * @throws what node:fs, node:sqlite and `prepare` throw; the connection is closed by then, and its transaction rolled back
 */
export function openDatabaseFile(
  path: string,
  options: DatabaseSyncOptions = {},
  prepare: (database: DatabaseSync) => void = () => {},
  busyRetries = BUSY_RETRIES,
): DatabaseSync {
  // Absolute, so that SQLite reads it neither as ":memory:" nor as a "file:" URI.
  const file = resolve(path);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // Made here because SQLite would make it readable to all; its -wal and -shm take over the mode of the file.
  closeSync(openSync(file, "a", 0o600));
  for (let retries = 0; ; retries += 1) {
    try {
      return openOnce(file, options, prepare);
    } catch (error) {
      // SQLite's own busy handler does not cover the switch to WAL, which two processes may both try.
      if (!isBusy(error) || retries === busyRetries) throw error;
    }
    sleep(BUSY_RETRY_MS);
  }
}

function openOnce(
  file: string,
  options: DatabaseSyncOptions,
  prepare: (database: DatabaseSync) => void,
): DatabaseSync {
  const database = new (sqliteOfNode().DatabaseSync)(file, options);
  try {
    // Waiting inside SQLite would stop the event loop; `whenFree` and its like wait outside.
    database.exec("PRAGMA busy_timeout = 0");
    const mode = database.prepare("PRAGMA journal_mode = WAL").get()?.journal_mode;
    if (mode !== "wal") {
      throw new Error(`SQLite cannot use a write-ahead log here (journal_mode is ${mode}).`);
    }
    database.exec(`
      PRAGMA synchronous = FULL;
      PRAGMA cache_size = ${CACHE_SIZE};
      PRAGMA foreign_keys = ON;
      PRAGMA trusted_schema = OFF;
    `);
    prepare(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Opening is synchronous, and happens once, before there is anything to serve. */
function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
