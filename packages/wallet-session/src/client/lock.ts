/**
 * Web Locks that keep apart the requests for tokens of all tabs of a browser. A late answer would put back the session from
 * before, or empty the jar of the new one (docs/decisions/0032-a-sign-in-has-the-jar-to-itself.md).
 *
 * | lock          | a renewal                            | a change: sign-in or sign-out                          |
 * | ------------- | ------------------------------------ | ------------------------------------------------------ |
 * | `name`        | alone; goes on without it after 4 s  | does not take it                                       |
 * | `name change` | does not take it                     | alone; steals it after 15 s, and the loser fails       |
 * | `name jar`    | with other renewals; steals it after | alone; steals it after 4 s, and the renewals that lose |
 * |               | 15 s from a frozen tab               | it abort their requests and begin again                |
 *
 * Each takes them from top to bottom. `name` only saves requests: renewals are safe beside each other. The other two keep
 * the jar right, so they are stolen rather than done without. Where a browser has no locks, all go on without.
 */
import { onAbort } from "./abort.ts";
import type { ClientEnvironment, LockOptions, Locks } from "./environment.ts";
import { REQUEST_LIMIT_MS } from "./jar-tokens.ts";

type LockEnvironment = Pick<ClientEnvironment, "locks" | "after">;

/** A tab frozen by the browser holds its locks for ever. */
const WAIT_MS = 4_000;
/** A change is over by then: it waited for the jar, and its request was answered or given up. */
const CHANGE_OVER_MS = WAIT_MS + REQUEST_LIMIT_MS + 1_000;

/**
 * Runs `task`, which renews the tokens in the jar, and runs it again when a change called it off. Does not begin again once
 * `signal` is aborted.
 */
export async function lockedRenewal(
  environment: LockEnvironment,
  name: string,
  signal: AbortSignal,
  task: (calledOff: AbortSignal) => Promise<void>,
): Promise<void> {
  let isLost = false;
  const abort = new AbortController();
  const stopListening = onAbort(signal, () => abort.abort());
  const onLost = () => {
    isLost = true;
    abort.abort();
  };
  const shared = { mode: "shared", waitMs: CHANGE_OVER_MS, signal, onLost } as const;
  const renew = () => withLock(environment, `${name} jar`, shared, () => task(abort.signal));
  try {
    await withLock(environment, name, { waitMs: WAIT_MS, signal }, renew);
  } catch (error) {
    if (!isLost || signal.aborted) throw error;
  } finally {
    stopListening();
  }
  if (isLost && !signal.aborted) await lockedRenewal(environment, name, signal, task);
}

/** Runs `task`, which gives the browser other tokens or none. `calledOff` aborts when another change steals a lock. */
export function lockedChange(
  environment: LockEnvironment,
  name: string,
  task: (calledOff: AbortSignal) => Promise<void>,
): Promise<void> {
  const abort = new AbortController();
  const { signal } = abort;
  const onLost = () => abort.abort();
  const change = () =>
    withLock(environment, `${name} jar`, { waitMs: WAIT_MS, signal, onLost }, () => task(signal));
  return withLock(environment, `${name} change`, { waitMs: CHANGE_OVER_MS, onLost }, change);
}

interface Turn {
  readonly mode?: "exclusive" | "shared";
  /** The longest wait for the lock. */
  readonly waitMs: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
  /** Called when another tab steals the lock. A turn with it steals the lock itself after the wait; others do without. */
  readonly onLost?: () => void;
}

/** Runs `task` once: with the lock, or without it where it cannot be had. */
async function withLock<T>(
  environment: LockEnvironment,
  name: string,
  turn: Turn,
  task: () => Promise<T>,
): Promise<T> {
  const release = await acquire(environment, name, turn);
  try {
    return await task();
  } finally {
    release?.();
  }
}

/** Gives what releases the lock; undefined where it cannot be had. */
async function acquire(
  { locks, after }: LockEnvironment,
  name: string,
  { mode = "exclusive", waitMs, signal, onLost }: Turn,
): Promise<(() => void) | undefined> {
  if (locks === undefined) return undefined;
  const waiting = new AbortController();
  const stopWaiting = () => waiting.abort();
  const cancelLimit = after(waitMs, stopWaiting);
  const stopListening = onAbort(signal, stopWaiting);
  try {
    return await hold(locks, name, { mode, signal: waiting.signal }, onLost);
  } catch {
    // Called off, or without a wait: this page may have no locks, as in a sandboxed frame.
    if (onLost === undefined || signal?.aborted || !waiting.signal.aborted) return undefined;
    return await hold(locks, name, { steal: true }, onLost).catch(() => undefined);
  } finally {
    cancelLimit();
    stopListening();
  }
}

/** Resolves with what releases the lock, as soon as it is granted. */
function hold(
  locks: Locks,
  name: string,
  options: LockOptions,
  onLost: (() => void) | undefined,
): Promise<() => void> {
  return new Promise((granted, refused) => {
    let isHeld = false;
    const untilReleased = () =>
      new Promise<void>((release) => {
        isHeld = true;
        granted(() => {
          isHeld = false;
          release();
        });
      });
    locks.request(name, options, untilReleased).catch((error: unknown) => {
      if (isHeld) onLost?.();
      else refused(error);
    });
  });
}
