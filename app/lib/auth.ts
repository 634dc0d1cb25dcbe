import {
  type AuthenticatedSession,
  createSessionEngine,
  type IssuedTokens,
  type RefreshRequest,
  type RefreshResult,
  type SessionEngine,
  type SessionId,
  type SessionRecord,
  type SignInOptions,
  type VerifiedActor,
} from "wallet-session";
import { type Config, madeSecrets, readConfig } from "wallet-session/config";
import { createHandlers, type Handlers, peerAddress } from "wallet-session/http";
import { createLogger, describeFault, type Logger, logEvents } from "wallet-session/logging";
import { createStellarWallet, horizonSigners, masterKeyOnly } from "wallet-session/wallets/stellar";
import { openStore } from "./db.ts";

/** The app's sessions: settings, store, engine, wallet and handlers, wired once for each process. */
interface Auth {
  readonly config: Config;
  readonly logger: Logger;
  readonly engine: SessionEngine;
  readonly handlers: Handlers;
}

// Next loads routes, pages and the start hook as separate copies of this module; they share one global object.

const AUTH = Symbol.for("streampay.auth");
const shared = globalThis as { [AUTH]?: Auth };

/** Wired at first use, so that a build can load the routes without settings and without a store. */
function auth(): Auth {
  shared[AUTH] ??= wire();
  return shared[AUTH];
}

function wire(): Auth {
  const config = readConfig(process.env, madeSecrets("data"));
  const logger = createLogger(config.logLevel);
  const engine = createSessionEngine({
    store: openStore(config.databaseUrl),
    secrets: config.authSecrets,
    issuer: config.publicUrl.origin,
    accessTtlMs: config.accessTtlMs,
    refreshIdleTtlMs: config.refreshIdleTtlMs,
    refreshAbsoluteTtlMs: config.refreshAbsoluteTtlMs,
    refreshLeewayMs: config.refreshLeewayMs,
    onEvent: logEvents(logger),
  });
  const wallet = createStellarWallet({
    signingSeed: config.stellarSigningSeed,
    networkPassphrase: config.stellarNetworkPassphrase,
    homeDomain: config.homeDomain,
    webAuthEndpoint: `${config.publicUrl.origin}/api/auth/wallet`,
    accountSigners:
      config.horizonUrl === null ? masterKeyOnly : horizonSigners({ horizonUrl: config.horizonUrl.href }),
  });
  const handlers = createHandlers({
    engine,
    wallet,
    publicUrl: config.publicUrl,
    rateLimit: config.rateLimit,
    clientAddress: (request) => peerAddress(request, config.trustedProxies),
    onFault: (error) => logger.error({ event: "fault", fault: describeFault(error) }),
  });
  return { config, logger, engine, handlers };
}

/**
 * Opens the store, the signing keys and the view of the revocations, before the first request is served.
 * @throws ConfigError for settings that cannot be used
 */
export async function startAuth(): Promise<void> {
  const { config, logger, engine } = auth();
  await engine.start();
  if (config.horizonUrl === null) {
    logger.warn({ event: "horizon_off", note: "accounts sign in with their master key alone" });
  }
}

/** A route's handlers, for every method: each answers 405 to what it does not serve. */
export function route(name: Exclude<keyof Handlers, "guard" | "problem" | "fetch">) {
  const handle = (request: Request): Promise<Response> => auth().handlers[name](request);
  return {
    GET: handle,
    HEAD: handle,
    POST: handle,
    PUT: handle,
    PATCH: handle,
    DELETE: handle,
    OPTIONS: handle,
  };
}

/** Who is asking, for the app's own routes. @throws SessionError, which `problem` turns into a response */
export function guard(request: Request, options?: { fresh?: boolean }): Promise<AuthenticatedSession> {
  return auth().handlers.guard(request, options);
}

/** The documented answer to an error. */
export function problem(error: unknown): Response {
  return auth().handlers.problem(error);
}

/** Signs an access token for a session that lives. @throws session_revoked */
export function signAccessToken(sessionId: SessionId): Promise<string> {
  return auth().engine.issueAccessToken(sessionId);
}

/** @throws access_token_invalid, access_token_expired, session_revoked */
export function verifyAccessToken(token: string): Promise<AuthenticatedSession> {
  return auth().engine.authenticate(token);
}

/** Creates the session of an actor whose wallet has answered, with its first refresh token. @throws challenge_used */
export function issueRefreshToken(actor: VerifiedActor, options: SignInOptions): Promise<IssuedTokens> {
  return auth().engine.signIn(actor, options);
}

/** The session of a current refresh token; rotates nothing. @throws refresh_token_invalid, _expired, _revoked */
export function verifyRefreshToken(token: string): Promise<SessionRecord> {
  return auth().engine.inspectRefreshToken(token);
}

/** Swaps a refresh token for its successor. @throws refresh_token_invalid, _expired, _revoked, _reused */
export function rotateRefreshToken(request: RefreshRequest): Promise<RefreshResult> {
  return auth().engine.refresh(request);
}

/** Ends the session of a refresh token of any generation. True if it lived until now. */
export function revokeRefreshToken(token: string): Promise<boolean> {
  return auth().engine.revokeByRefreshToken(token, "logout");
}

/** The demo wallet keeps its key in the page, so it exists in development alone. */
export function demoWalletAllowed(): boolean {
  return !auth().config.production;
}

/** For the pages' client, whose requests must be over within it. */
export function refreshLeewaySeconds(): number {
  return auth().config.refreshLeewayMs / 1000;
}
