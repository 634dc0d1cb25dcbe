import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { isBusy, sqliteOfNode } from "../databases/sqlite.ts";
import { oneByOne, type TokenStorage } from "../token-client/storage.ts";
import { readPrivateFile, writePrivateFile } from "./private-file.ts";

const LOCK_POLL_MS = 20;

/**
 * Keeps the session in a file for its owner alone (mode 0600). Each save replaces the file at once and is on disk when it
 * resolves. Processes that name the same file share one session: they take turns by a lock at `PATH.lock`, which the
 * operating system frees when its holder ends, however that comes about.
 *
 * Not for network file systems, whose locks are not to be relied on.
 * @example
 * ```ts
 * import { createTokenClient } from "wallet-session/token-client";
 * import { fileStorage } from "wallet-session/node";
 *
 * export const client = createTokenClient({
 *   url: "https://pay.example.com/api/auth",
 *   storage: fileStorage("./session.json"),
 * });
 * ```
 */
export function fileStorage(path: string): TokenStorage {
  const file = resolve(path);
  const inTurn = oneByOne();

  return {
    load: () => readPrivateFile(file),
    save: (text) => writePrivateFile(file, text),
    lock: (task) => inTurn(() => alone(`${file}.lock`, task)),
  };
}

/** SQLite's lock: of all that Node offers, the only one that ends with its holder. */
async function alone<T>(path: string, task: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const database = new (sqliteOfNode().DatabaseSync)(path);
  try {
    while (!begun(() => database.exec("BEGIN IMMEDIATE"))) await setTimeout(LOCK_POLL_MS);
    return await task();
  } finally {
    database.close();
  }
}

function begun(begin: () => void): boolean {
  try {
    begin();
    return true;
  } catch (error) {
    if (isBusy(error)) return false;
    throw error;
  }
}
