import { timingSafeEqual } from "node:crypto";
import { elapsedMs } from "../clock.ts";
import type { RefreshRefusal } from "../events.ts";
import { CHALLENGE_MARK_KEPT_MS, ROTATION_CHALLENGE_MAX_AGE_MS } from "../limits.ts";
import type { SessionRecord, Transport } from "../store.ts";
import {
  type AuthenticRefreshToken,
  hashRetryKey,
  hashSecret,
  SALT_BYTES,
  successorOf,
  writeRefreshToken,
} from "../tokens/refresh-token.ts";
import { admission } from "./admission.ts";
import type { EngineContext } from "./context.ts";
import type { RotationProof } from "./proofs.ts";
import { isPastEnd } from "./session-status.ts";

export interface Rotation {
  /** Authentic, but for all we know spent, revoked or of no session at all. */
  readonly presented: AuthenticRefreshToken;
  readonly presentedBy: Transport;
  readonly retryKey: string | null;
  /** Verified; null without one. Whose key it is, and whether it is new, is decided here. */
  readonly proof: RotationProof | null;
  /** The request brings a good access token of the session as well. */
  readonly showsAccess?: boolean;
  /** The browser says that it could not prove the key of the session just now. */
  readonly couldNotProve?: boolean;
}

export type RotationResult =
  | {
      readonly outcome: "rotated" | "replayed";
      readonly session: SessionRecord;
      readonly refreshToken: string;
    }
  | {
      readonly outcome: "refused";
      readonly verdict: Refusal;
      readonly session: SessionRecord | null;
    };

/** Why a token was not rotated: all reasons but those for which it does not get this far. */
type Refusal = Exclude<RefreshRefusal, "malformed" | "untied" | "bad_proof" | "other_session">;

/** What a swap must find in the row's binding, and what it leaves there. */
interface Keys {
  readonly binding: string | null;
  readonly nextBinding: string | null;
}

/** The row is as the token says, but for its binding: the swap is to be tried with these. */
interface Again {
  readonly outcome: "again";
  readonly keys: Keys;
}

/**
 * The rotation protocol, from an authentic token on. ONE compare-and-swap decides; only a miss is read and
 * classified. Of concurrent rotations of one token exactly one swaps; the others are replayed or refused. Does NOT
 * revoke: a `reused` verdict is acted upon by `refresh`.
 */
export async function rotate(context: EngineContext, rotation: Rotation): Promise<RotationResult> {
  const { presented, proof } = rotation;
  const guess = proof?.binding ?? null;
  let keys: Keys = { binding: guess, nextBinding: guess };
  if (proof !== null && !isOver(proof, presented.generation, presented.generation)) {
    // A proof that is not over this generation swaps nothing. It may be that of a retry.
    const now = context.clock.now();
    const session = await context.store.findSession(presented.sessionId);
    if (session === null) return { outcome: "refused", verdict: "unknown_row", session };
    const result = classify(context, rotation, session, now);
    if (result.outcome !== "again") return once(context, rotation, result, now);
    keys = result.keys;
  }
  for (;;) {
    const now = context.clock.now();
    const result = await swap(context, rotation, keys, now);
    if (result.outcome !== "again") return once(context, rotation, result, now);
    // Comes to an end: a session is bound once.
    keys = result.keys;
  }
}

async function swap(
  context: EngineContext,
  rotation: Rotation,
  keys: Keys,
  now: number,
): Promise<RotationResult | Again> {
  const { presented, presentedBy, retryKey, proof } = rotation;
  const { signing } = context.keyring;
  const salt = context.random(SALT_BYTES);
  const next = successorOf(signing, presented, salt);
  // A session that is bound to none takes a proof for nothing, and its retry by the key alone.
  const key = proof === null || keys.nextBinding === null ? retryKey : proof.id;
  const result = await context.store.rotate({
    id: presented.sessionId,
    transport: presentedBy,
    generation: presented.generation,
    secretHash: hashSecret(presented.secret),
    nextSecretHash: hashSecret(next.secret),
    nextSalt: salt,
    retryKeyHash: key === null ? null : hashRetryKey(signing, presented, key),
    ...keys,
    now,
    idleExpiresAt: now + context.refreshIdleTtlMs,
  });
  switch (result.outcome) {
    case "rotated":
      return { outcome: "rotated", session: result.session, refreshToken: writeRefreshToken(signing, next) };
    case "unknown":
      return { outcome: "refused", verdict: "unknown_row", session: null };
    case "unmatched": {
      const verdict = classify(context, rotation, result.session, now);
      const isAsTried = verdict.outcome === "again" && verdict.keys.binding === keys.binding;
      return isAsTried ? { outcome: "refused", verdict: "wrong_secret", session: result.session } : verdict;
    }
  }
}

/** A proof counts once. That of a rotation is spent by it; that of a retry, which writes nothing, is marked as used. */
async function once(
  { store }: EngineContext,
  { proof }: Rotation,
  result: RotationResult,
  now: number,
): Promise<RotationResult> {
  if (result.outcome !== "replayed" || proof === null || result.session.binding === null) return result;
  const expiresAt = now + ROTATION_CHALLENGE_MAX_AGE_MS + CHALLENGE_MARK_KEPT_MS;
  const isFirst = await store.consumeChallenge({ id: `proof:${proof.id}`, expiresAt });
  return isFirst ? result : { outcome: "refused", verdict: repeated(proof), session: result.session };
}

/** Whether the proof's challenge was made for a session at this generation, and for a token of that one. */
function isOver({ over }: RotationProof, generation: number, presented: number): boolean {
  return over !== null && over.generation === generation && over.presented === presented;
}

/** A browser signs a challenge once, and sends that again: it needs a new one. */
function repeated({ kind }: RotationProof): Refusal {
  return kind === "device" ? "stale_proof" : "repeated_proof";
}

/**
 * Why the swap did not match. The order is part of the protocol: an ended session is never replayed, and of a bound one nothing
 * is made of the token's generation before the proof is known to be by its key, and new.
 */
export function classify(
  context: EngineContext,
  rotation: Rotation,
  session: SessionRecord,
  now: number,
): RotationResult | Again {
  const { presented, presentedBy, proof } = rotation;
  const refuse = (verdict: Refusal) => ({ outcome: "refused", verdict, session }) as const;
  if (session.transport !== presentedBy) return refuse("wrong_transport");
  if (session.revokedAt !== null) return refuse("revoked");
  if (isPastEnd(session, now)) return refuse("expired");

  const admitted = admission(session.binding, proof, presented.generation, session.generation);
  if (admitted.admits === "nothing") {
    if (admitted.why === "proof_missing" && rotation.couldNotProve) return refuse("bound_since");
    if (admitted.why !== "bound_since") return refuse(admitted.why);
    // Of a request that left before the binding, and was overtaken by it. Not of each later rotation: a thief would rotate on.
    const isYoung =
      session.generation <= admitted.boundAt + 1 &&
      elapsedMs(session.rotatedAt, now) < context.refreshLeewayMs;
    const maySoon = isYoung || rotation.showsAccess || rotation.couldNotProve;
    return refuse(maySoon ? "bound_since" : "reused");
  }
  const proven = admitted.admits === "and binds" || admitted.proven;
  if (proof !== null && proven && !isOver(proof, session.generation, presented.generation)) {
    return refuse(wasLast(context, rotation, proof, session) ? repeated(proof) : "stale_proof");
  }

  if (presented.generation === session.generation) {
    const isCurrent = timingSafeEqual(hashSecret(presented.secret), session.secretHash);
    if (!isCurrent) return refuse("wrong_secret");
    return { outcome: "again", keys: { binding: session.binding, nextBinding: admitted.binding } };
  }
  // Ahead of the row: the store has lost a rotation, or a leaked key wrote the token.
  if (presented.generation > session.generation) return refuse("wrong_secret");
  const refreshToken = successorIfRetry(context, rotation, session, now, proven);
  return refreshToken === null ? refuse("reused") : { outcome: "replayed", session, refreshToken };
}

/** Whether the last rotation was by this very proof. */
function wasLast(
  { keyring }: EngineContext,
  { presented }: Rotation,
  proof: RotationProof,
  session: SessionRecord,
): boolean {
  const { retryKeyHash } = session;
  if (presented.generation + 1 !== session.generation || retryKeyHash === null) return false;
  return keyring.all.some((keys) => timingSafeEqual(hashRetryKey(keys, presented, proof.id), retryKeyHash));
}

/**
 * The current token of the session, when the presented one is its direct parent and this is a retry: proven by the session's key,
 * with the same retry key (none never equals none), or by a cookie jar within the leeway. It is derived again under each listed
 * secret, since the one that signs may have changed since. Writes nothing, so the leeway does not slide.
 */
function successorIfRetry(
  context: EngineContext,
  rotation: Rotation,
  session: SessionRecord,
  now: number,
  proven: boolean,
): string | null {
  const { presented, retryKey } = rotation;
  if (presented.generation + 1 !== session.generation) return null;
  for (const keys of context.keyring.all) {
    const next = successorOf(keys, presented, session.salt);
    if (!timingSafeEqual(hashSecret(next.secret), session.secretHash)) continue;
    const sameRetryKey =
      retryKey !== null &&
      session.retryKeyHash !== null &&
      timingSafeEqual(hashRetryKey(keys, presented, retryKey), session.retryKeyHash);
    const isRetry = proven || sameRetryKey || isInLeeway(context, rotation, session, now);
    return isRetry ? writeRefreshToken(keys, next) : null;
  }
  return null;
}

function isInLeeway(
  { refreshLeewayMs }: EngineContext,
  { presented }: Rotation,
  session: SessionRecord,
  now: number,
): boolean {
  const isParent = presented.generation + 1 === session.generation;
  return isParent && session.transport === "cookie" && elapsedMs(session.rotatedAt, now) < refreshLeewayMs;
}
