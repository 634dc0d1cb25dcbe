import type { SecurityEventReason, SecurityEventRecord, SessionId } from "../store.ts";

/**
 * The end of a session before its time, or an attempt to use a copy of its tokens, as told to the systems that must act upon
 * it. Ids and codes, never a token.
 */
export interface SecurityEvent {
  /** The same however often the event is delivered, and no other event's. */
  readonly id: string;
  /**
   * `session.reuse_detected`: it was ended, since a spent token of it came again. `session.revoked`: it was ended for any other
   * reason. `session.proof_failed`: it goes on, and somebody with its tokens could not prove the key that it is bound to; further
   * failures soon after the one that is told are part of it.
   */
  readonly type: "session.revoked" | "session.reuse_detected" | "session.proof_failed";
  readonly sessionId: SessionId;
  readonly actorId: string;
  readonly reason: SecurityEventReason;
  /** Milliseconds since 1970. */
  readonly occurredAt: number;
}

/**
 * Takes one event. When it resolves, the event is delivered; when it rejects, or does not resolve within 10 s, the event is
 * tried again. So an event may come more than once, and out of order. The signal aborts when the answer is no longer awaited.
 */
export type SecurityEventHandler = (event: SecurityEvent, signal: AbortSignal) => Promise<void>;

/** A bundler may load this module more than once: an error of one copy is one for the others too. */
const REFUSED = Symbol.for("wallet-session.SecurityEventRefused");

/** For a handler to throw that takes other events, but not this one: after ten tries the event is given up. */
export class SecurityEventRefused extends Error {
  override readonly name = "SecurityEventRefused";

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && REFUSED in value;
  }

  get [REFUSED](): true {
    return true;
  }
}

/**
 * A session is revoked once, so its id names that event, and one failure is told at a time. A position would name another event
 * in a store that was restored.
 */
export function securityEventOf(record: SecurityEventRecord): SecurityEvent {
  const { sessionId, actorId, reason, revokedAt } = record;
  const event = { sessionId, actorId, reason, occurredAt: revokedAt };
  switch (reason) {
    case "proof_failed":
      return { id: `proof_failure_${sessionId}_${revokedAt}`, type: "session.proof_failed", ...event };
    case "reuse":
      return { id: `revocation_${sessionId}`, type: "session.reuse_detected", ...event };
    case "logout":
    case "ended":
    case "replaced":
    case "admin":
      return { id: `revocation_${sessionId}`, type: "session.revoked", ...event };
  }
}
