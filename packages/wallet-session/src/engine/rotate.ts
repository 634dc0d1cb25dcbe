import { timingSafeEqual } from "node:crypto";
import { elapsedMs } from "../clock.ts";
import type { RefreshRefusal } from "../events.ts";
import type { SessionRecord, Transport } from "../store.ts";
import {
  type AuthenticRefreshToken,
  hashRetryKey,
  hashSecret,
  SALT_BYTES,
  successorOf,
  writeRefreshToken,
} from "../tokens/refresh-token.ts";
import type { EngineContext } from "./context.ts";
import { isPastEnd } from "./session-status.ts";

export interface Rotation {
  /** Authentic, but for all we know spent, revoked or of no session at all. */
  readonly presented: AuthenticRefreshToken;
  readonly presentedBy: Transport;
  readonly retryKey: string | null;
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
type Refusal = Exclude<RefreshRefusal, "malformed" | "untied">;

/**
 * The rotation protocol, from an authentic token on. ONE compare-and-swap decides; only a miss is read and
 * classified. Of concurrent rotations of one token exactly one swaps; the others are replayed or refused. Does NOT
 * revoke: a `reused` verdict is acted upon by `refresh`.
 */
export async function rotate(context: EngineContext, rotation: Rotation): Promise<RotationResult> {
  const { presented, presentedBy, retryKey } = rotation;
  const { signing } = context.keyring;
  const now = context.clock.now();
  const salt = context.random(SALT_BYTES);
  const next = successorOf(signing, presented, salt);
  const result = await context.store.rotate({
    id: presented.sessionId,
    transport: presentedBy,
    generation: presented.generation,
    secretHash: hashSecret(presented.secret),
    nextSecretHash: hashSecret(next.secret),
    nextSalt: salt,
    retryKeyHash: retryKey === null ? null : hashRetryKey(signing, presented, retryKey),
    now,
    idleExpiresAt: now + context.refreshIdleTtlMs,
  });

  switch (result.outcome) {
    case "rotated":
      return { outcome: "rotated", session: result.session, refreshToken: writeRefreshToken(signing, next) };
    case "unknown":
      return { outcome: "refused", verdict: "unknown_row", session: null };
    case "unmatched":
      return classify(context, rotation, result.session, now);
  }
}

/** Why the swap did not match. The order is part of the protocol: an ended session is never replayed. */
export function classify(
  context: EngineContext,
  rotation: Rotation,
  session: SessionRecord,
  now: number,
): RotationResult {
  const refuse = (verdict: Refusal) => ({ outcome: "refused", verdict, session }) as const;
  if (session.transport !== rotation.presentedBy) return refuse("wrong_transport");
  if (session.revokedAt !== null) return refuse("revoked");
  if (isPastEnd(session, now)) return refuse("expired");
  // Ahead of the row, or another secret of its generation: the store has lost a rotation, or a leaked key wrote the token.
  if (rotation.presented.generation >= session.generation) return refuse("wrong_secret");
  const refreshToken = successorIfRetry(context, rotation, session, now);
  return refreshToken === null ? refuse("reused") : { outcome: "replayed", session, refreshToken };
}

/**
 * The current token of the session, when the presented one is its direct parent and this is a retry: the same retry key
 * (none never equals none), or a cookie jar within the leeway. It is derived again under each listed secret, since the
 * one that signs may have changed since. Writes nothing, so the leeway does not slide.
 */
function successorIfRetry(
  context: EngineContext,
  { presented, retryKey }: Rotation,
  session: SessionRecord,
  now: number,
): string | null {
  if (presented.generation + 1 !== session.generation) return null;
  for (const keys of context.keyring.all) {
    const next = successorOf(keys, presented, session.salt);
    if (!timingSafeEqual(hashSecret(next.secret), session.secretHash)) continue;
    const sameRetryKey =
      retryKey !== null &&
      session.retryKeyHash !== null &&
      timingSafeEqual(hashRetryKey(keys, presented, retryKey), session.retryKeyHash);
    const inLeeway =
      session.transport === "cookie" && elapsedMs(session.rotatedAt, now) < context.refreshLeewayMs;
    return sameRetryKey || inLeeway ? writeRefreshToken(keys, next) : null;
  }
  return null;
}
