import { timingSafeEqual } from "node:crypto";
import { SessionError } from "../errors.ts";
import type { SessionRecord } from "../store.ts";
import { hashSecret, readRefreshToken } from "../tokens/refresh-token.ts";
import type { EngineContext } from "./context.ts";
import { isPastEnd } from "./rotate.ts";

/**
 * The session whose current refresh token this is. Reads only: it rotates nothing, and a spent token is refused as invalid
 * without an alarm, since looking at a token is not using it.
 * @throws refresh_token_invalid, refresh_token_expired, refresh_token_revoked
 */
export async function inspectRefreshToken(context: EngineContext, token: string): Promise<SessionRecord> {
  const presented = readRefreshToken(context.keyring, token);
  const session = presented && (await context.store.findSession(presented.sessionId));
  if (!presented || !session) throw invalid();
  if (session.revokedAt !== null) {
    throw new SessionError("refresh_token_revoked", "The session has been ended.");
  }
  if (isPastEnd(session, context.clock.now())) {
    throw new SessionError("refresh_token_expired", "The session has expired.");
  }
  const isCurrent =
    presented.generation === session.generation &&
    timingSafeEqual(hashSecret(presented.secret), session.secretHash);
  if (!isCurrent) throw invalid();
  return session;
}

function invalid(): SessionError {
  return new SessionError("refresh_token_invalid", "The refresh token is not valid.");
}
