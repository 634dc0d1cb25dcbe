import { type Clock, elapsedMs } from "../clock.ts";
import { CLOCK_TOLERANCE_MS, REVOCATION_PAGE_ENTRIES, REVOCATION_VIEW_MAX_AGE_MS } from "../limits.ts";
import type { SessionId, SessionStore } from "../store.ts";

/**
 * This node's picture of which sessions were revoked, so that an access token is checked without a store call.
 * An entry lives as long as an access token issued just before the revocation could.
 */
export interface RevocationView {
  has(sessionId: SessionId): boolean;
  /** What this node itself revoked counts at once, before the log is read again. */
  add(sessionId: SessionId): void;
  /** Reads the log to its end. Calls at the same time share one reading. @throws store_unavailable */
  poll(): Promise<void>;
  /** The log was read to its end within the last 10 s. */
  isFresh(): boolean;
  /** The log was read to its end at least once. */
  isLoaded(): boolean;
}

export function createRevocationView(options: {
  store: Pick<SessionStore, "revocationsAfter">;
  clock: Clock;
  accessTtlMs: number;
}): RevocationView {
  const { store, clock, accessTtlMs } = options;
  const forgetAt = new Map<SessionId, number>();
  let position = 0;
  let readAt: number | null = null;
  let reading: Promise<void> | null = null;

  // Counted from when we learned of it, never from another node's clock.
  function add(sessionId: SessionId): void {
    forgetAt.set(sessionId, clock.now() + accessTtlMs + CLOCK_TOLERANCE_MS);
  }

  async function readToEnd(): Promise<void> {
    const begunAt = clock.now();
    for (;;) {
      const page = await store.revocationsAfter(position, REVOCATION_PAGE_ENTRIES);
      for (const { sessionId } of page.entries) if (!forgetAt.has(sessionId)) add(sessionId);
      position = page.position;
      if (page.entries.length < REVOCATION_PAGE_ENTRIES) break;
    }
    readAt = begunAt;
    forget(begunAt);
  }

  /** Insertion order is nearly the order of the ends, so only the front needs a look. */
  function forget(now: number): void {
    for (const [sessionId, end] of forgetAt) {
      if (end > now) break;
      forgetAt.delete(sessionId);
    }
  }

  function poll(): Promise<void> {
    reading ??= readToEnd().finally(() => {
      reading = null;
    });
    return reading;
  }

  return {
    has: (sessionId) => forgetAt.has(sessionId),
    add,
    poll,
    isFresh: () => readAt !== null && elapsedMs(readAt, clock.now()) < REVOCATION_VIEW_MAX_AGE_MS,
    isLoaded: () => readAt !== null,
  };
}
