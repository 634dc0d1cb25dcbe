import { SessionError } from "../errors.ts";
import type { RefreshRefusal } from "../events.ts";
import { PROOF_FAILURES_TOLD_MS } from "../limits.ts";
import type { RevocationReason, SessionId, SessionRecord } from "../store.ts";
import type { AuthenticRefreshToken } from "../tokens/refresh-token.ts";
import type { EngineContext } from "./context.ts";
import type { createRevoking } from "./revoke.ts";

/** A refusal to act upon. */
interface Refused {
  readonly verdict: RefreshRefusal;
  readonly session: SessionRecord | null;
}

/** What a refresh that is refused brings about, and how it is answered. */
export function createRefusing(
  { store, clock, proofs, onEvent }: EngineContext,
  revoke: ReturnType<typeof createRevoking>["revoke"],
) {
  /**
   * Acts upon a refusal, so that a reused token's session has ended before the answer says so. `challenges`: the one who asks
   * can prove a key, if it has the right one.
   */
  async function refuse(
    presented: AuthenticRefreshToken,
    { verdict, session }: Refused,
    challenges = false,
  ): Promise<SessionError> {
    if (verdict === "reused" && session !== null) {
      // One alarm: the call whose write ended the session raises it.
      await revoke(session.id, session.actorId, "reuse", () =>
        onEvent({
          type: "reuse_detected",
          actorId: session.actorId,
          sessionId: session.id,
          presentedGeneration: presented.generation,
          currentGeneration: session.generation,
        }),
      );
    }
    if (session !== null && TELLS_OWNER.has(verdict)) await tellOwner(session);
    const asks = challenges && session !== null && REFUSALS[verdict][0].startsWith("proof_");
    const challenge = asks
      ? proofs.rotationChallenge(session.id, session.generation, presented.generation)
      : null;
    return refusal(verdict, presented.sessionId, session?.revokedReason ?? null, challenge);
  }

  /** Somebody holds a copy of the tokens, most likely. */
  async function tellOwner({ id: sessionId, actorId }: SessionRecord): Promise<void> {
    const at = clock.now();
    const since = at - PROOF_FAILURES_TOLD_MS;
    const isNew = await store.noteProofFailure({ sessionId, actorId, at, since });
    if (isNew) onEvent({ type: "proof_failed", actorId, sessionId });
  }

  function refusal(
    why: RefreshRefusal,
    sessionId: SessionId | null,
    endedAs: RevocationReason | null,
    challenge: string | null = null,
  ) {
    const [code, detail] = REFUSALS[why];
    onEvent({ type: "refresh_refused", code, why, sessionId });
    return new SessionError(code, detail, { endedAs, challenge });
  }

  return { refuse, refusal };
}

/** Not of a proof that came late: a network may send one twice. */
const TELLS_OWNER: ReadonlySet<RefreshRefusal> = new Set(["proof_missing", "bad_proof", "other_key"]);

type RefusalCode =
  | `refresh_token_${"invalid" | "expired" | "revoked" | "reused"}`
  | `proof_${"missing" | "invalid" | "nonce"}`;

export const REFUSALS: Readonly<Record<RefreshRefusal, readonly [RefusalCode, string]>> = {
  malformed: ["refresh_token_invalid", "The refresh token is not valid."],
  untied: ["refresh_token_invalid", "The refresh token is not valid."],
  unknown_row: ["refresh_token_invalid", "The refresh token is not valid."],
  wrong_transport: ["refresh_token_invalid", "The refresh token is not valid."],
  wrong_secret: ["refresh_token_invalid", "The refresh token is not valid."],
  expired: ["refresh_token_expired", "The session has expired. Sign in again."],
  revoked: ["refresh_token_revoked", "The session has been ended. Sign in again."],
  reused: [
    "refresh_token_reused",
    "This refresh token had been used before, so its session was ended. Sign in again.",
  ],
  bad_proof: ["proof_invalid", "The proof of the session's key is not valid."],
  other_session: ["proof_invalid", "This key is of another session than the one that is signed in here now."],
  other_key: ["proof_invalid", "The proof is by another key than the session's."],
  late_registration: ["proof_invalid", "The session has been refreshed since this key was registered."],
  repeated_proof: ["proof_invalid", "This proof was used before. Make a new one."],
  stale_proof: ["proof_nonce", "The proof needs the nonce that comes with this answer."],
  proof_missing: ["proof_missing", "The session is bound to a key, and this needs a proof of it."],
  bound_since: [
    "proof_missing",
    "The session was bound to a key a moment ago, and this needs a proof of it.",
  ],
};
