import type {
  AuthenticatedSession,
  IssuedTokens,
  RefreshRequest,
  RefreshResult,
  SessionId,
  SessionRecord,
  SessionStatus,
  SignInOptions,
  VerifiedActor,
} from "wallet-session";
import type { Config } from "wallet-session/config";
import type { Handler, Handlers, MethodHandlers, ServerEventSource } from "wallet-session/http";
import { describeFault } from "wallet-session/logging";
import { routes, sessionGuard } from "wallet-session/next";
import { openSessions } from "wallet-session/server";
import { openStore } from "./db.ts";

// Wired at first use, so that a build can load the routes without settings and without a store.
const sessions = openSessions({
  openStore,
  // Loaded then: the streams stand on this module.
  ready: async () => (await import("./streams-database.ts")).streamsReady(),
});

/** @throws ConfigError for settings that cannot be used */
export function authSettings(): Config {
  return sessions.config;
}

/**
 * Opens the store, the signing keys and the view of the revocations, before the first request is served.
 * @throws ConfigError for settings that cannot be used; store_unavailable, and the next call tries again
 */
export function startAuth(): Promise<void> {
  return sessions.start();
}

/** For a stop: tells the readers of all event streams to connect again, to whoever serves next. */
export function closeEventStreams(): void {
  sessions.handlers.closeEventStreams();
}

/** For its end, when nothing is answered any more: gives back what this process holds in the store, and closes that. */
export function closeAuth(): Promise<void> {
  return sessions.close();
}

/** The endpoints that come with the engine. */
type EndpointName = {
  [Name in keyof Handlers]: Handlers[Name] extends Handler ? Name : never;
}[keyof Handlers];

/** A route's handlers, for every method: each answers 405 to what it does not serve. */
export function route(name: EndpointName) {
  return routes((request) => sessions.handlers[name](request));
}

/** The same for a route of the app's own, by the template of its path. What it throws is answered by `problem`. */
export function appRoute(path: string, methods: MethodHandlers) {
  return routes((request) => sessions.handlers.endpoint(path, methods)(request));
}

/**
 * Who is asking, for pages and server actions: `require("/path")` sends whoever has no session through the bounce to the
 * sign-in page.
 */
export const pageGuard = sessionGuard(sessions, { signInPath: "/sign-in" });

/**
 * The session of whoever a page is rendered for, by its access cookie; null where there is no good one.
 * @throws session_revoked, store_unavailable
 */
export async function signedInSession(): Promise<SessionRecord | null> {
  const session = await pageGuard.session();
  return session && sessions.engine.getSession(session);
}

/** Who is asking, for the app's own routes. @throws SessionError, which `problem` turns into a response */
export function guard(request: Request, options?: { fresh?: boolean }): Promise<AuthenticatedSession> {
  return sessions.handlers.guard(request, options);
}

/** The documented answer to an error. */
export function problem(error: unknown): Response {
  return sessions.handlers.problem(error);
}

/** A stream of events that lives as long as the session: `source`, and the news of the session itself. */
export function eventStream(
  request: Request,
  session: AuthenticatedSession,
  source: ServerEventSource,
): Promise<Response> {
  return sessions.handlers.eventStream(request, session, source);
}

/** Logs a fault that no handler sees. */
export function reportFault(fault: unknown): void {
  sessions.logger.error({ event: "fault", fault: describeFault(fault) });
}

/** What has become of a session, by its row as it stands now: for work that goes on without its user. */
export function sessionStanding(sessionId: SessionId): Promise<SessionStatus> {
  return sessions.engine.getSessionStatus(sessionId);
}

/** Signs an access token for a session that lives. @throws session_revoked */
export function signAccessToken(sessionId: SessionId): Promise<string> {
  return sessions.engine.issueAccessToken(sessionId);
}

/** @throws access_token_invalid, access_token_expired, session_revoked */
export function verifyAccessToken(token: string): Promise<AuthenticatedSession> {
  return sessions.engine.authenticate(token);
}

/** Creates the session of an actor whose wallet has answered, with its first refresh token. @throws challenge_used */
export function issueRefreshToken(actor: VerifiedActor, options: SignInOptions): Promise<IssuedTokens> {
  return sessions.engine.signIn(actor, options);
}

/** The session of a current refresh token; rotates nothing. @throws refresh_token_invalid, _expired, _revoked */
export function verifyRefreshToken(token: string): Promise<SessionRecord> {
  return sessions.engine.inspectRefreshToken(token);
}

/** Swaps a refresh token for its successor. @throws refresh_token_invalid, _expired, _revoked, _reused */
export function rotateRefreshToken(request: RefreshRequest): Promise<RefreshResult> {
  return sessions.engine.refresh(request);
}

/** Ends the session of a refresh token of any generation. True if it lived until now. */
export function revokeRefreshToken(token: string): Promise<boolean> {
  return sessions.engine.revokeByRefreshToken(token, "logout");
}

/** The demo wallet keeps its key in the page, so it exists in development alone; so does the lab, which signs with it. */
export function demoWalletAllowed(): boolean {
  return !sessions.config.production;
}

export function accessTokenSeconds(): number {
  return sessions.config.accessTtlMs / 1000;
}

/** For the pages' client, whose requests must be over within it. */
export function refreshLeewaySeconds(): number {
  return sessions.config.refreshLeewayMs / 1000;
}
