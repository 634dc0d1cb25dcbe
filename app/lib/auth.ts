import type {
  AuthenticatedSession,
  IssuedTokens,
  RefreshOptions,
  RefreshResult,
  SessionId,
  SessionRecord,
  SignInOptions,
  VerifiedActor,
} from "wallet-session";
import { sessionGuard, sharedSessions } from "wallet-session/next";
import { describeFault } from "wallet-session/server";
import { openStore, streamsReady } from "./db.ts";

/** The sessions of this process. They are wired at first use, so a build loads the routes without settings or a store. */
export const sessions = sharedSessions({
  openStore,
  ready: () => streamsReady(reportFault),
  openapi: async () => (await import("./openapi.ts")).streamPay,
});

/** The guard of pages: `require("/path")` renews a session first, and redirects to the sign-in page without one. */
export const pageGuard = sessionGuard(sessions, { signInPath: "/sign-in" });

/** The demo wallet keeps its key in the page, so it exists in development only. So does the lab, which signs with it. */
export function demoWalletAllowed(): boolean {
  return !sessions.config.production;
}

/** Logs a fault that no handler sees. */
export function reportFault(fault: unknown): void {
  sessions.logger.error({ event: "fault", fault: describeFault(fault) });
}

/** Signs an access token for a live session. @throws session_revoked */
export function signAccessToken(sessionId: SessionId): Promise<string> {
  return sessions.engine.issueAccessToken(sessionId);
}

/** @throws access_token_invalid, access_token_expired, session_revoked */
export function verifyAccessToken(token: string): Promise<AuthenticatedSession> {
  return sessions.engine.authenticate(token);
}

/** Creates the session of an actor whose wallet has signed, with its first refresh token. @throws challenge_used */
export function issueRefreshToken(actor: VerifiedActor, options: SignInOptions): Promise<IssuedTokens> {
  return sessions.engine.signIn(actor, options);
}

/** The session of a current refresh token. It rotates nothing. @throws refresh_token_invalid, _expired, _revoked */
export function verifyRefreshToken(token: string): Promise<SessionRecord> {
  return sessions.engine.inspectRefreshToken(token);
}

/** Swaps a body session's refresh token for its successor. @throws refresh_token_invalid, _expired, _revoked, _reused */
export function rotateRefreshToken(token: string, options?: RefreshOptions): Promise<RefreshResult> {
  return sessions.engine.refresh(token, options);
}

/** Ends the session of a refresh token of any generation. True if this call ended it. */
export function revokeRefreshToken(token: string): Promise<boolean> {
  return sessions.engine.revokeByRefreshToken(token, "logout");
}
