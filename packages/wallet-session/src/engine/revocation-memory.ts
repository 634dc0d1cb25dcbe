import type { EventSink } from "../events.ts";
import type { RevocationReason, SessionId, SessionStore } from "../store.ts";

/**
 * So many of the last revocations a node can put back into a store that has lost them: some 8 MB. A store that is set back
 * further than that has lost more than its nodes can know.
 */
const REVOCATIONS_REMEMBERED = 50_000;
/** How many of them between two readings of the log, and how many at the same time: requests need the store as well. */
export const REASSERTIONS_PER_POLL = 1_000;
const REASSERTIONS_AT_ONCE = 4;

/** For a revocation that this node knows by the log alone, which does not say why. An operator has set the store back. */
const UNKNOWN_REASON: RevocationReason = "admin";

/**
 * The last revocations that this node has heard of, far longer than it refuses access tokens for them: a store that comes
 * back older than it was has lost the newest, which were acknowledged. They are put back from here.
 */
export function createRevocationMemory(options: {
  store: Pick<SessionStore, "revokeSession">;
  now: () => number;
  onEvent: EventSink;
  /** Told of each session that was live in the store and is revoked again. */
  onReasserted: (sessionId: SessionId, reason: RevocationReason) => void;
}) {
  const { store, now, onEvent, onReasserted } = options;
  const known = new Map<SessionId, RevocationReason>();
  /** Oldest first, taken from its end; null when there is nothing to do. */
  let suspects: SessionId[] | null = null;
  let count = 0;

  async function revokeAgain(sessionId: SessionId): Promise<void> {
    const reason = known.get(sessionId) ?? UNKNOWN_REASON;
    // Now, not when it was: the log is pruned by this time, and other nodes must hear of it.
    if (!(await store.revokeSession(sessionId, { reason, revokedAt: now() }))) return;
    count += 1;
    onReasserted(sessionId, reason);
  }

  return {
    /** Kept until 50,000 newer ones are known, or this process ends. */
    remember(sessionId: SessionId, reason: RevocationReason | null): void {
      if (reason === null && known.has(sessionId)) return;
      known.delete(sessionId);
      known.set(sessionId, reason ?? UNKNOWN_REASON);
      if (known.size <= REVOCATIONS_REMEMBERED) return;
      const [oldest = sessionId] = known.keys();
      known.delete(oldest);
    },
    /** From now on `reassert` has work: all that is remembered. */
    storeIsOlder(): void {
      suspects = [...known.keys()];
    },
    /**
     * Revokes again, newest first, some of the sessions that may have been lost, where their rows are not revoked; all of them
     * after some calls. A session that fails is tried again by the next call. @throws store_unavailable
     */
    async reassert(): Promise<void> {
      if (suspects === null) return;
      for (let done = 0; suspects.length > 0 && done < REASSERTIONS_PER_POLL; done += REASSERTIONS_AT_ONCE) {
        const group = suspects.slice(-REASSERTIONS_AT_ONCE);
        await Promise.all(group.map(revokeAgain));
        suspects.length -= group.length;
      }
      if (suspects.length > 0) return;
      suspects = null;
      onEvent({ type: "revocations_reasserted", count });
      count = 0;
    },
  };
}
