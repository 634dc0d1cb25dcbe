import { timingSafeEqual } from "node:crypto";
import { elapsedMs } from "../clock.ts";
import type { RotationSwap, SessionRecord, Transport } from "../store.ts";
import {
  type AuthenticRefreshToken,
  hashRetryKey,
  hashSecret,
  readRefreshToken,
  SALT_BYTES,
  successorOf,
  writeRefreshToken,
} from "../tokens/refresh-token.ts";
import type { EngineContext } from "./context.ts";

export interface Rotation {
  readonly token: string;
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
      readonly presented: AuthenticRefreshToken | null;
      readonly session: SessionRecord | null;
    };

/**
 * Why a token was not rotated. `malformed` and `unknown_row`, `wrong_transport`, `wrong_secret` are all "invalid" to the
 * outside and write nothing; `reused` calls for the end of the session.
 */
export type Refusal =
  | "malformed"
  | "unknown_row"
  | "wrong_transport"
  | "wrong_secret"
  | "revoked"
  | "expired"
  | "reused";

/**
 * The rotation protocol. Garbage is refused without a look into the store; then ONE compare-and-swap decides; only what
 * it did not match is read and classified. Of concurrent rotations of one token exactly one swaps; the others are
 * replayed or refused. Does NOT revoke: a `reused` verdict is acted upon by `refresh`.
 */
export async function rotate(context: EngineContext, request: Rotation): Promise<RotationResult> {
  const presented = readRefreshToken(context.keyring, request.token);
  if (presented === null) return { outcome: "refused", verdict: "malformed", presented, session: null };

  const now = context.clock.now();
  const salt = context.random(SALT_BYTES);
  const next = successorOf(context.keyring.signing, presented, salt);
  const result = await context.store.rotate(swapFor(context, request, presented, next, salt, now));

  switch (result.outcome) {
    case "rotated":
      return {
        outcome: "rotated",
        session: result.session,
        refreshToken: writeRefreshToken(context.keyring.signing, next),
      };
    case "unknown":
      return { outcome: "refused", verdict: "unknown_row", presented, session: null };
    case "unmatched":
      return classify(context, request, presented, result.session, now);
  }
}

function swapFor(
  context: EngineContext,
  request: Rotation,
  presented: AuthenticRefreshToken,
  next: AuthenticRefreshToken,
  salt: Uint8Array,
  now: number,
): RotationSwap {
  const { keyring, refreshIdleTtlMs } = context;
  return {
    id: presented.sessionId,
    transport: request.presentedBy,
    generation: presented.generation,
    secretHash: hashSecret(presented.secret),
    nextSecretHash: hashSecret(next.secret),
    nextSalt: salt,
    retryKeyHash:
      request.retryKey === null ? null : hashRetryKey(keyring.signing, presented, request.retryKey),
    now,
    idleExpiresAt: now + refreshIdleTtlMs,
  };
}

/** Why the swap did not match. The order is part of the protocol: what has ended is never replayed. */
function classify(
  context: EngineContext,
  request: Rotation,
  presented: AuthenticRefreshToken,
  session: SessionRecord,
  now: number,
): RotationResult {
  const refuse = (verdict: Refusal) => ({ outcome: "refused", verdict, presented, session }) as const;
  if (session.transport !== request.presentedBy) return refuse("wrong_transport");
  if (session.revokedAt !== null) return refuse("revoked");
  if (isPastEnd(session, now)) return refuse("expired");
  // Ahead of the row, or another secret of its generation: only a leaked key writes such a token.
  if (presented.generation >= session.generation) return refuse("wrong_secret");
  const refreshToken = successorIfRetry(context, request, presented, session, now);
  return refreshToken === null ? refuse("reused") : { outcome: "replayed", session, refreshToken };
}

export function isPastEnd(session: SessionRecord, now: number): boolean {
  return session.idleExpiresAt <= now || session.expiresAt <= now;
}

/**
 * The current token of the session, when the presented one is its direct parent and this is a retry: the same retry key
 * (none never equals none), or a cookie jar within the leeway. It is derived again under each listed secret, since the
 * one that signs may have changed since. Writes nothing, so the leeway does not slide.
 */
function successorIfRetry(
  context: EngineContext,
  request: Rotation,
  presented: AuthenticRefreshToken,
  session: SessionRecord,
  now: number,
): string | null {
  if (presented.generation + 1 !== session.generation) return null;
  for (const keys of context.keyring.all) {
    const next = successorOf(keys, presented, session.salt);
    if (!timingSafeEqual(hashSecret(next.secret), session.secretHash)) continue;
    const sameRetryKey =
      request.retryKey !== null &&
      session.retryKeyHash !== null &&
      timingSafeEqual(hashRetryKey(keys, presented, request.retryKey), session.retryKeyHash);
    const inLeeway =
      session.transport === "cookie" && elapsedMs(session.rotatedAt, now) < context.refreshLeewayMs;
    return sameRetryKey || inLeeway ? writeRefreshToken(keys, next) : null;
  }
  return null;
}
