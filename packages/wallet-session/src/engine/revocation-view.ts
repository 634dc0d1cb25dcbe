import { type Clock, elapsedMs } from "../clock.ts";
import type { EventSink } from "../events.ts";
import { CLOCK_LEAP_MS, CLOCK_TOLERANCE_MS } from "../limits.ts";
import type { RevocationEntry, RevocationPage, RevocationReason, SessionId, SessionStore } from "../store.ts";
import { createRevocationMemory } from "./revocation-memory.ts";

/** From this age on, a node's view of the revocations no longer counts as fresh. */
export const REVOCATION_VIEW_MAX_AGE_MS = 10_000;
export const REVOCATION_PAGE_ENTRIES = 1_000;

type RevocationListener = (sessionId: SessionId, reason: RevocationReason | null) => void;

export type RevocationView = ReturnType<typeof createRevocationView>;

/**
 * This node's picture of which sessions were revoked, so that an access token is checked without a store call.
 * An entry lives as long as an access token issued just before the revocation could, by a clock that has leapt.
 */
export function createRevocationView(options: {
  store: Pick<SessionStore, "revocationsAfter" | "revokeSession">;
  clock: Clock;
  accessTtlMs: number;
  onEvent: EventSink;
}) {
  const { store, clock, accessTtlMs, onEvent } = options;
  const forgetAt = new Map<SessionId, number>();
  /**
   * What this node itself has revoked, for the first time or again, and not met in the log yet. The store acknowledged these, so
   * a reading of the log that begins afterwards must find them. If one is missing, the store has lost acknowledged writes: it was restored from a backup,
   * or a replica that lagged was promoted.
   */
  const unseen = new Set<SessionId>();
  const listeners: RevocationListener[] = [];
  const readers: ((entry: RevocationEntry) => void)[] = [];
  const memory = createRevocationMemory({
    store,
    now: () => clock.now(),
    onEvent,
    onReasserted: (sessionId, reason) => {
      // The store may come back older once more.
      unseen.add(sessionId);
      note(sessionId, reason);
    },
  });
  /** The last entry read. Each reading begins with it, to see that the log is still the same one. */
  let last: RevocationEntry | null = null;
  /** The newest end that the store has told. */
  let end = 0;
  let readAt: number | null = null;
  /** Time gone by from reading to reading. A clock that leaps ahead counts as one late reading. */
  let countedMs = 0;
  let reading: Promise<void> | null = null;
  let wokenMeanwhile = false;

  /** Notes a revocation that this node itself wrote. It counts at once, before the log is read again. */
  function add(sessionId: SessionId, reason: RevocationReason): void {
    // The log may have been quicker than the answer.
    if (!forgetAt.has(sessionId)) unseen.add(sessionId);
    note(sessionId, reason);
  }

  // Counted from when we learned of it, never from another node's clock.
  function note(sessionId: SessionId, reason: RevocationReason | null): void {
    forgetAt.set(sessionId, countedMs + accessTtlMs + CLOCK_LEAP_MS + CLOCK_TOLERANCE_MS);
    memory.remember(sessionId, reason);
    for (const tell of listeners) tell(sessionId, reason);
  }

  function learn(entry: RevocationEntry): void {
    const { sessionId, revokedAt } = entry;
    for (const tell of readers) tell(entry);
    unseen.delete(sessionId);
    if (forgetAt.has(sessionId)) return;
    note(sessionId, null);
    // The first reading meets old revocations.
    if (readAt === null) return;
    onEvent({ type: "revocation_learned", sessionId, lagMs: elapsedMs(revokedAt, clock.now()) });
  }

  /** Restored from a backup, or a replica that had not been sent everything: another log, or one that ends earlier. */
  function isOlder(page: RevocationPage): boolean {
    if (page.end < end) return true;
    const known = last;
    if (known === null) return false;
    const same = page.entries.find(({ position }) => position === known.position);
    // It was pruned; or, where it is too young for that, an event without an entry has its position now.
    if (same === undefined) return elapsedMs(known.revokedAt, clock.now()) < accessTtlMs;
    return same.sessionId !== known.sessionId || same.revokedAt !== known.revokedAt;
  }

  /** Reads from the last entry to the end. False where the log is not the one that it was. */
  async function readOn(): Promise<boolean> {
    for (;;) {
      const page = await store.revocationsAfter((last?.position ?? 1) - 1, REVOCATION_PAGE_ENTRIES);
      if (isOlder(page)) return false;
      end = page.end;
      for (const entry of page.entries) learn(entry);
      last = page.entries.at(-1) ?? last;
      if (page.entries.length < REVOCATION_PAGE_ENTRIES) return true;
    }
  }

  async function readToEnd(): Promise<void> {
    const begunAt = clock.now();
    const expected = [...unseen];
    if (!(await readOn()) || expected.some((sessionId) => unseen.has(sessionId))) {
      for (const sessionId of expected) unseen.delete(sessionId);
      last = null;
      end = 0;
      memory.storeIsOlder();
      // A store that changes again while it is read is not read to its end: this view ages until one is.
      if (!(await readOn())) return;
    }
    if (readAt !== null) countedMs += Math.min(elapsedMs(readAt, begunAt), REVOCATION_VIEW_MAX_AGE_MS);
    readAt = begunAt;
    forget();
    await memory.reassert();
  }

  /** Insertion order is nearly the order of the ends, so only the front needs a look. */
  function forget(): void {
    for (const [sessionId, forgottenAt] of forgetAt) {
      if (forgottenAt > countedMs) break;
      forgetAt.delete(sessionId);
    }
  }

  /**
   * Reads the log to its end. Calls at the same time share one reading. Where the store turns out to be older than it was,
   * reads all of the log again and puts back the lost revocations ({@link createRevocationMemory}). @throws store_unavailable
   */
  function poll(): Promise<void> {
    reading ??= readToEnd().finally(() => {
      reading = null;
      if (!wokenMeanwhile) return;
      wokenMeanwhile = false;
      wake();
    });
    return reading;
  }

  /** Reads all that the log holds by now: a reading under way may have passed it. @throws store_unavailable */
  async function catchUp(): Promise<void> {
    await Promise.allSettled([reading]);
    await poll();
  }

  /** Polls now, or once more where a reading is under way: it may have passed what this call is about. Never throws. */
  function wake(): void {
    if (reading === null) void poll().catch(() => {});
    else wokenMeanwhile = true;
  }

  /** Milliseconds since the last reading that came to the log's end was begun; null: none yet. */
  function ageMs(): number | null {
    return readAt === null ? null : elapsedMs(readAt, clock.now());
  }

  return {
    has: (sessionId: SessionId) => forgetAt.has(sessionId),
    add,
    /**
     * From now on tells of each revocation, as soon as this node knows of it. `reason` is null for what came by the log,
     * which does not say why. The listener must not throw.
     */
    onRevoked: (listener: RevocationListener) => void listeners.push(listener),
    /** From now on tells of each entry of the log that is read, before this node acts upon it. The listener must not throw. */
    onRead: (listener: (entry: RevocationEntry) => void) => void readers.push(listener),
    poll,
    catchUp,
    wake,
    ageMs,
    /** The log was read to its end within the last 10 s. */
    isFresh: () => (ageMs() ?? Number.POSITIVE_INFINITY) < REVOCATION_VIEW_MAX_AGE_MS,
    /** The log was read to its end at least once. */
    isLoaded: () => readAt !== null,
  };
}
