import type { ClientEnvironment } from "./environment.ts";

/** A tab frozen by the browser holds its locks for ever. Two refreshes at once are safe, only wasteful. */
const LOCK_WAIT_MS = 4_000;

/** Runs `task` while holding the origin's lock `name`, or without it when it cannot be had within the limit. */
export async function withLock<T>(
  environment: Pick<ClientEnvironment, "locks" | "after">,
  name: string,
  task: () => Promise<T>,
): Promise<T> {
  const { locks } = environment;
  if (locks === undefined) return task();
  const waiting = new AbortController();
  const stopWaiting = environment.after(LOCK_WAIT_MS, () => waiting.abort());
  let granted = false;
  try {
    return await locks.request(name, { signal: waiting.signal }, () => {
      granted = true;
      stopWaiting();
      return task();
    });
  } catch (error) {
    if (granted) throw error;
    // Not had in time, or not to be had at all, as in a sandboxed frame.
    return await task();
  } finally {
    stopWaiting();
  }
}
