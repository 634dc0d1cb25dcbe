import { setTimeout } from "node:timers/promises";

// Primary result codes of SQLite (https://sqlite.org/rescode.html); the low byte of the extended ones.
const SQLITE_BUSY = 5;
const SQLITE_CONSTRAINT = 19;

/**
 * While another process holds the lock, a step is tried again this often, and for about 2 s: counted in retries, so that
 * the store needs no clock. SQLite's own busy handler would stop the event loop instead.
 */
export const BUSY_RETRY_MS = 5;
export const BUSY_RETRIES = 400;

/** Another connection holds the lock: nothing happened, and a later try may succeed. */
export function isBusy(error: unknown): boolean {
  return primaryCode(error) === SQLITE_BUSY;
}

/**
 * True when a failed statement has undone itself and the transaction around it is as good as before: a broken
 * constraint, or a value that never reached SQLite. On a full disk, an I/O fault or a corrupt page it is not.
 */
export function failsAlone(error: unknown): boolean {
  const code = primaryCode(error);
  return code === null || code === SQLITE_CONSTRAINT;
}

function primaryCode(error: unknown): number | null {
  if (!(error instanceof Error && "errcode" in error)) return null;
  return typeof error.errcode === "number" ? error.errcode & 0xff : null;
}

/** Runs a read, again where the database is busy. In WAL mode that is rare: while a log is recovered or removed. */
export async function readWhenFree<Output>(read: () => Output): Promise<Output> {
  for (let retries = 0; ; retries += 1) {
    try {
      return read();
    } catch (error) {
      if (!isBusy(error) || retries === BUSY_RETRIES) throw error;
    }
    await setTimeout(BUSY_RETRY_MS);
  }
}
