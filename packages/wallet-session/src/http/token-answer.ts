import type { IssuedTokens } from "../engine/session-engine.ts";
import type { SessionId } from "../store.ts";

/** The answer to a body-transport client, by the names of RFC 6749 §5.1. Lifetimes in seconds. */
export function tokenAnswer(tokens: IssuedTokens) {
  return {
    access_token: tokens.accessToken,
    token_type: "Bearer",
    expires_in: tokens.expiresInSeconds,
    refresh_token: tokens.refreshToken,
    refresh_expires_in: tokens.refreshExpiresInSeconds,
    session_id: tokens.session.id,
  };
}

/** The same less the tokens, which go into cookies that no script can read. */
export function cookieAnswer(
  sessionId: SessionId,
  left: { readonly expiresInSeconds: number; readonly refreshExpiresInSeconds: number },
) {
  return {
    token_type: "Bearer",
    expires_in: left.expiresInSeconds,
    refresh_expires_in: left.refreshExpiresInSeconds,
    session_id: sessionId,
  };
}
