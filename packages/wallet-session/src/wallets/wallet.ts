import type { ConsumedChallenge } from "../store.ts";

/**
 * One way to sign in: builds a challenge, verifies its answer, names the actor. Stateless: single use is the
 * store's business (`ConsumedChallenge`), and a wallet knows nothing of HTTP.
 *
 * Both methods throw `SessionError`: `invalid_request` for parameters that cannot be served, `challenge_invalid`,
 * `challenge_expired` and `signature_invalid` for answers that are refused, `horizon_unavailable` when a fault stood in
 * the way of a decision.
 */
export interface WalletMethod<ChallengeRequest, Challenge, Answer> {
  challenge(request: ChallengeRequest): Promise<Challenge>;
  verify(answer: Answer): Promise<VerifiedActor>;
}

export interface VerifiedActor {
  /** The JWT `sub` of the session to come. */
  readonly actorId: string;
  /** Consumed in the same atomic step that creates the session. */
  readonly challenge: ConsumedChallenge;
}
