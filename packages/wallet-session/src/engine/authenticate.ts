import { SessionError } from "../errors.ts";
import type { SessionId, SessionRecord } from "../store.ts";
import type { EngineContext } from "./context.ts";
import type { AuthenticatedSession } from "./session-engine.ts";
import { statusOf } from "./session-status.ts";

/** `SessionEngine.authenticate`: makes no store call, unless this node's view of the revocations is not to be relied on. */
export async function authenticate(
  context: EngineContext,
  accessToken: string,
  options: { fresh?: boolean } = {},
): Promise<AuthenticatedSession> {
  const { accessTokens, revocations } = context;
  const claims = await accessTokens.verify(accessToken);
  // A node that never read the log knows of no revocation, and one that does not follow it learns of none: it reads first.
  if (!revocations.isLoaded() || !context.followsRevocations()) await revocations.poll();
  if (revocations.has(claims.sid)) throw revoked();
  if (options.fresh && !revocations.isFresh()) await liveSession(context, claims.sid);
  return {
    actorId: claims.sub,
    sessionId: claims.sid,
    issuedAt: claims.iat * 1000,
    accessExpiresAt: claims.exp * 1000,
  };
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
