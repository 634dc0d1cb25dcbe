import { inRequest } from "../request-context.ts";
import type { RevocationEntry } from "../store.ts";

/** More lost answers than these are of an outage, and the security events of the store tell of all of them. */
const UNANSWERED_REMEMBERED = 1_000;

type Revocation = Pick<RevocationEntry, "sessionId" | "revokedAt">;

interface Write {
  /** Undefined once it was called. */
  tell: (() => void) | undefined;
  running: number;
  isLost: boolean;
  isInLog: boolean;
}

/**
 * Tells once of each revocation that this node wrote, also where the store's answer was lost: then the revocation log shows
 * that it took effect, by its session and its time.
 */
export function createUnansweredRevocations() {
  const writes = new Map<string, Write>();
  const keyOf = ({ sessionId, revokedAt }: Revocation) => `${sessionId} ${revokedAt}`;

  function tell(write: Write): void {
    const call = write.tell;
    write.tell = undefined;
    call?.();
  }

  return {
    /** Runs `write`, which says whether it ended the session. */
    async run(revocation: Revocation, onEnded: () => void, write: () => Promise<boolean>): Promise<boolean> {
      const key = keyOf(revocation);
      // Calls at one moment have one entry in the log.
      const state = writes.get(key) ?? { tell: onEnded, running: 0, isLost: false, isInLog: false };
      writes.set(key, state);
      state.running += 1;
      try {
        const hit = await write();
        if (hit) tell(state);
        return hit;
      } catch (error) {
        state.isLost = true;
        if (state.isInLog) tell(state);
        throw error;
      } finally {
        state.running -= 1;
        if (state.running === 0 && (!state.isLost || state.tell === undefined)) writes.delete(key);
        const [oldest = key] = writes.keys();
        if (writes.size > UNANSWERED_REMEMBERED) writes.delete(oldest);
      }
    },

    /** The log has this entry. */
    read(entry: Revocation): void {
      const key = keyOf(entry);
      const state = writes.get(key);
      if (state === undefined) return;
      state.isInLog = true;
      if (!state.isLost) return;
      writes.delete(key);
      // No part of the request that happens to read the log.
      inRequest(undefined, () => tell(state));
    },
  };
}
