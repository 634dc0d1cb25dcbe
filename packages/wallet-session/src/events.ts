import type { ErrorCode } from "./error-codes.ts";
import type { RevocationReason, SessionId, Transport } from "./store.ts";

/**
 * Why a refresh was refused. `malformed`: no token of this service's; `unknown_row`, `wrong_transport`, `wrong_secret`: an
 * authentic token of no session, of a session by the other transport, or of a generation that the store does not know;
 * `untied`: authentic, but in a jar that was not signed in to its session. The outside sees all five as
 * `refresh_token_invalid`, and they change nothing. `reused` ends the session.
 *
 * Of a bound session, and none of these ends it: `bad_proof`, `other_key`: the proof is not valid, or by a key that is not the
 * session's; `other_session`: by a key that a browser has registered for another session than its jar holds by now;
 * `late_registration`: of a key that was registered before the session's last rotation; `repeated_proof`: it came before; `stale_proof`: its challenge is not of now; `proof_missing`; `bound_since`: the same of a request that left before the
 * session was bound.
 */
export type RefreshRefusal =
  | "malformed"
  | "untied"
  | "unknown_row"
  | "wrong_transport"
  | "wrong_secret"
  | "revoked"
  | "expired"
  | "reused"
  | "bad_proof"
  | "other_key"
  | "other_session"
  | "late_registration"
  | "repeated_proof"
  | "stale_proof"
  | "proof_missing"
  | "bound_since";

/**
 * What the engine reports while it works, for logs and metrics. Holds ids and codes only, never a token, a secret or
 * a stored value.
 */
export type SessionEvent =
  | {
      readonly type: "signed_in";
      readonly actorId: string;
      readonly sessionId: SessionId;
      readonly transport: Transport;
    }
  | {
      readonly type: "refreshed";
      readonly outcome: "rotated" | "replayed" | "unchanged";
      readonly actorId: string;
      readonly sessionId: SessionId;
      readonly generation: number;
    }
  /** `why` tells apart what the outside must not. */
  | {
      readonly type: "refresh_refused";
      readonly code: ErrorCode;
      readonly why: RefreshRefusal;
      readonly sessionId: SessionId | null;
    }
  /** The session is bound to a key from now on. `device`: of a browser (DBSC). */
  | {
      readonly type: "bound";
      readonly kind: "dpop" | "device";
      readonly actorId: string;
      readonly sessionId: SessionId;
    }
  /** Tokens of a bound session came without its key: a copy of them, most likely. The session goes on. Once an hour for each. */
  | { readonly type: "proof_failed"; readonly actorId: string; readonly sessionId: SessionId }
  /** A spent token came again, and its session was ended for it. Exactly once for a session. */
  | {
      readonly type: "reuse_detected";
      readonly actorId: string;
      readonly sessionId: SessionId;
      readonly presentedGeneration: number;
      readonly currentGeneration: number;
    }
  | {
      readonly type: "revoked";
      readonly reason: RevocationReason;
      readonly actorId: string | null;
      readonly sessionIds: readonly SessionId[];
    }
  /** A revocation that another process wrote, read in the log. `lagMs`: since its time, by two clocks. */
  | { readonly type: "revocation_learned"; readonly sessionId: SessionId; readonly lagMs: number }
  /**
   * The store came back older than it was, and this node has gone through its memory of revocations. `count`: sessions that were
   * live again and are revoked anew.
   */
  | { readonly type: "revocations_reasserted"; readonly count: number }
  /** A security event was handed to `onSecurityEvent`, which took it. */
  | { readonly type: "security_event_delivered"; readonly id: string; readonly sessionId: SessionId }
  /** It did not: `unavailable` says so of the receiver, `refused` of this one event. It is tried again. */
  | {
      readonly type: "security_event_failed";
      readonly id: string;
      readonly sessionId: SessionId;
      readonly outcome: "unavailable" | "refused";
      readonly retryInMs: number;
      readonly cause: unknown;
    }
  /** It was refused too often and is tried no more. */
  | {
      readonly type: "security_event_given_up";
      readonly id: string;
      readonly sessionId: SessionId;
      readonly cause: unknown;
    }
  /** So many were deleted because they were too old, and never delivered. */
  | { readonly type: "security_events_expired"; readonly events: number }
  | { readonly type: "signing_key_added"; readonly kid: string }
  | { readonly type: "signing_key_unreadable"; readonly kid: string }
  | { readonly type: "store_fault"; readonly step: string; readonly cause: unknown };

export type EventSink = (event: SessionEvent) => void;

/** A log that fails must not change an answer: the event has happened already. */
export function neverThrowing<Told>(sink: (told: Told) => void): (told: Told) => void {
  return (told) => {
    try {
      sink(told);
    } catch {}
  };
}
