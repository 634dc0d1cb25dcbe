import type { ErrorCode } from "./errors.ts";
import type { RevocationReason, SessionId, Transport } from "./store.ts";

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
  /** `why` tells apart what the outside must not: `malformed`, `unknown_row`, `wrong_transport`, ... */
  | {
      readonly type: "refresh_refused";
      readonly code: ErrorCode;
      readonly why: string;
      readonly sessionId: SessionId | null;
    }
  /** The one security event: a spent token came again and its session was ended for it. */
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
  | { readonly type: "signing_key_added"; readonly kid: string }
  | { readonly type: "signing_key_unreadable"; readonly kid: string }
  | { readonly type: "store_fault"; readonly step: string; readonly cause: unknown };

export type EventSink = (event: SessionEvent) => void;

/** A log that fails must not turn an answer into another one: what it would have told of has happened already. */
export function neverThrowing<Told>(sink: (told: Told) => void): (told: Told) => void {
  return (told) => {
    try {
      sink(told);
    } catch {}
  };
}
