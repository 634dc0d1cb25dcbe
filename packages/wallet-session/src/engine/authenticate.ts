import { SessionError } from "../errors.ts";
import type { SessionId, SessionRecord } from "../store.ts";
import type { EngineContext } from "./context.ts";
import type { AuthenticatedSession, AuthenticateOptions } from "./session-engine.ts";
import { statusOf } from "./session-status.ts";

/**
 * `SessionEngine.authenticate`: makes no store call, unless this node's view of the revocations is not to be relied on, or the token
 * is bound: its proof counts once in all processes.
 */
export async function authenticate(
  context: EngineContext,
  accessToken: string,
  { fresh = false, dpop = null }: AuthenticateOptions = {},
): Promise<AuthenticatedSession> {
  const { accessTokens, revocations, proofs } = context;
  const claims = await accessTokens.verify(accessToken);
  // A node that never read the log knows of no revocation, and one that does not follow it learns of none: it reads first.
  if (!revocations.isLoaded() || !context.followsRevocations()) await revocations.poll();
  if (revocations.has(claims.sid)) throw revoked();
  if (claims.cnf !== undefined) {
    if (dpop === null)
      throw new SessionError(
        "proof_missing",
        "The access token is bound to a key, and this needs a proof of it.",
      );
    await proofs.ofRequest(dpop, accessToken, claims.cnf.jkt);
  }
  if (fresh && !revocations.isFresh()) await liveSession(context, claims.sid);
  return {
    actorId: claims.sub,
    sessionId: claims.sid,
    issuedAt: claims.iat * 1000,
    accessExpiresAt: claims.exp * 1000,
    authenticatedAt: claims.auth_time === undefined ? null : claims.auth_time * 1000,
    thumbprint: claims.cnf?.jkt ?? null,
    claims: claims.own,
  };
}

/** The claims of a good access token; null for any other text. Asks no revocations. @throws store_unavailable */
export async function validClaims({ accessTokens }: EngineContext, accessToken: string) {
  try {
    return await accessTokens.verify(accessToken);
  } catch (error) {
    if (error instanceof SessionError && error.code !== "store_unavailable") return null;
    throw error;
  }
}

/** The row as it stands now. @throws session_revoked when there is none, or it has ended in any way */
export async function liveSession(context: EngineContext, id: SessionId): Promise<SessionRecord> {
  const session = await context.store.findSession(id);
  if (session === null || statusOf(session, context.clock.now()).status !== "live") throw revoked();
  return session;
}

function revoked(): SessionError {
  return new SessionError("session_revoked", "The session has been ended. Sign in again.");
}
