import type { ClientEnvironment } from "./environment.ts";
import { REQUEST_LIMIT_MS } from "./jar-tokens.ts";

type LockEnvironment = Pick<ClientEnvironment, "locks" | "after">;

/** A tab frozen by the browser holds its locks for ever. */
const WAIT_MS = 4_000;
/** By then a change of the jar has had its turn, and was answered or given up. */
const CHANGE_OVER_MS = WAIT_MS + REQUEST_LIMIT_MS + 1_000;

/** What renewals share and a change of the jar has alone, beside the lock `name` that keeps renewals apart. */
const jarLock = (name: string) => `${name} jar`;
/** What keeps changes of the jar apart. */
const changeLock = (name: string) => `${name} change`;

/**
 * Runs `task`, which renews what is in the jar. One renewal at a time, to save requests: where the lock cannot be had,
 * it is done without. And none beside a change of the jar, in whatever tab: its answer, were it the later one, would put
 * back the session from before. Such a change calls off what is under way, and it is done anew after it.
 * What `signal` calls off is not done anew.
 */
export async function lockedRenewal(
  environment: LockEnvironment,
  name: string,
  signal: AbortSignal,
  task: (calledOff: AbortSignal) => Promise<void>,
): Promise<void> {
  const abort = new AbortController();
  const callOff = () => abort.abort();
  signal.addEventListener("abort", callOff);
  if (signal.aborted) callOff();
  // Whoever has it then is frozen; and what is done without it, no change of the jar can call off.
  const shared = { mode: "shared", waitMs: CHANGE_OVER_MS, signal, insists: true, onLost: callOff } as const;
  const renew = () => withLock(environment, jarLock(name), shared, () => task(abort.signal));
  try {
    await withLock(environment, name, { waitMs: WAIT_MS, signal }, renew);
  } catch (error) {
    if (signal.aborted || !abort.signal.aborted) throw error;
  } finally {
    signal.removeEventListener("abort", callOff);
  }
  if (abort.signal.aborted && !signal.aborted) await lockedRenewal(environment, name, signal, task);
}

/**
 * Runs `task`, which gives the browser other tokens or none, beside no renewal: after a while it takes the jar away. And
 * beside no other such task, whose answer could be the later one: it waits until that is over, and calls off what is not.
 */
export function lockedChange(
  environment: LockEnvironment,
  name: string,
  task: (calledOff: AbortSignal) => Promise<void>,
): Promise<void> {
  const abort = new AbortController();
  const taken = { insists: true, onLost: () => abort.abort() } as const;
  const { signal } = abort;
  const change = () =>
    withLock(environment, jarLock(name), { ...taken, waitMs: WAIT_MS, signal }, () => task(signal));
  return withLock(environment, changeLock(name), { ...taken, waitMs: CHANGE_OVER_MS }, change);
}

interface Turn {
  readonly mode?: "exclusive" | "shared";
  /** The longest wait for the lock. */
  readonly waitMs: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
  /** Takes the lock, for itself alone, from whoever holds it, rather than do without. */
  readonly insists?: true;
  /** Called when somebody else takes the lock before the task is done. */
  readonly onLost?: () => void;
}

/** Runs `task` once: with the lock, or without it where it is not to be had. */
async function withLock<T>(
  { locks, after }: LockEnvironment,
  name: string,
  { mode = "exclusive", waitMs, signal, insists, onLost }: Turn,
  task: () => Promise<T>,
): Promise<T> {
  let running: Promise<T> | undefined;
  let isDone = false;
  const run = () => {
    running ??= task().finally(() => {
      isDone = true;
    });
    return running;
  };
  if (locks === undefined) return run();
  const waiting = new AbortController();
  const stopWaiting = () => waiting.abort();
  const cancelLimit = after(waitMs, stopWaiting);
  signal?.addEventListener("abort", stopWaiting);
  if (signal?.aborted) stopWaiting();
  try {
    await locks.request(name, { mode, signal: waiting.signal }, run);
  } catch {
    // Not had in time, or never to be had, as in a sandboxed frame; or taken away; or the task itself has failed.
    if (running === undefined && insists && !signal?.aborted) {
      await locks.request(name, { steal: true }, run).catch(() => {});
    }
    if (running !== undefined && !isDone) onLost?.();
  } finally {
    cancelLimit();
    signal?.removeEventListener("abort", stopWaiting);
  }
  return run();
}
