import { type Clock, systemClock } from "../clock.ts";
import type { AuthenticatedSession, SessionEngine } from "../engine/session-engine.ts";
import { SessionError } from "../errors.ts";
import { neverThrowing } from "../events.ts";
import { answersJson } from "./accept.ts";
import { bounce } from "./bounce.ts";
import type { HttpContext } from "./context.ts";
import { authenticateRequest } from "./credentials.ts";
import { endpoint, type FaultSink, faultResponse, type Handler, withBodyFor } from "./endpoint.ts";
import { healthz, readyz } from "./health.ts";
import { logout } from "./logout.ts";
import { problemResponse } from "./problem.ts";
import { createRateLimits, noRateLimits } from "./rate-limit.ts";
import { refresh } from "./refresh.ts";
import { session } from "./session.ts";
import { endSession, endSessions, listSessions } from "./sessions.ts";
import { challenge, signIn } from "./wallet.ts";
import { jwks, stellarToml } from "./well-known.ts";

export interface HandlersOptions {
  readonly engine: SessionEngine;
  /** `createStellarWallet` makes one. */
  readonly wallet: HttpContext["wallet"];
  /** Where browsers reach the service. Its origin is the one that cookies are accepted from. */
  readonly publicUrl: URL;
  readonly clock?: Clock;
  /** Counted in this process alone. Default: true. */
  readonly rateLimit?: boolean;
  /** The client's address, for rate limits and session lists; null where it is not known. See `peerAddress`. */
  readonly clientAddress?: (request: Request) => string | null;
  /** Told of what was answered with 500, and of Horizon's outages. The store's are events of the engine. */
  readonly onFault?: FaultSink;
}

/**
 * One handler for each endpoint. Each answers every HTTP method by itself and never rejects, so a framework can mount
 * it for all methods as it is.
 */
export interface Handlers {
  readonly wallet: Handler;
  readonly refresh: Handler;
  readonly logout: Handler;
  readonly session: Handler;
  readonly sessions: Handler;
  /** Takes the session's id from the last segment of the path. */
  readonly sessionById: Handler;
  readonly jwks: Handler;
  readonly stellarToml: Handler;
  readonly healthz: Handler;
  readonly readyz: Handler;
  readonly notFound: Handler;

  /** All of them behind one: finds the endpoint by the path, at the paths of the contract. */
  readonly fetch: Handler;

  /**
   * For the routes of an app: who sends this request, by bearer token or access cookie. A changing request by cookie must
   * come from a page of ours. `fresh`: see `SessionEngine.authenticate`.
   * @throws SessionError access_token_missing, access_token_invalid, access_token_expired, session_revoked,
   *   cross_origin, store_unavailable; `problem` makes the answer of it
   */
  guard(request: Request, options?: { fresh?: boolean }): Promise<AuthenticatedSession>;

  /** The problem (RFC 9457) for whatever was thrown: no stack, no echo; faults go to `onFault`. */
  problem(error: unknown): Response;
}

const SESSION_PATH = /^\/api\/auth\/sessions\/[^/]+$/;

/** The endpoints of a session, from web-standard `Request` to `Response`. Keeps no state but the rate limits. */
export function createHandlers(options: HandlersOptions): Handlers {
  const onFault = neverThrowing(options.onFault ?? (() => {}));
  const context: HttpContext = {
    engine: options.engine,
    wallet: options.wallet,
    publicUrl: options.publicUrl,
    clock: options.clock ?? systemClock,
    limits: (options.rateLimit ?? true) ? createRateLimits() : noRateLimits,
    clientAddress: options.clientAddress ?? (() => null),
    onFault,
  };
  const shared = { cors: true, onFault };
  const own = { cors: false, onFault };
  const handlers = {
    wallet: endpoint({ GET: answersJson(challenge(context)), POST: answersJson(signIn(context)) }, shared),
    refresh: endpoint({ GET: bounce(context), POST: answersJson(refresh(context)) }, shared),
    logout: endpoint({ POST: answersJson(logout(context)) }, shared),
    session: endpoint({ GET: answersJson(session(context)) }, shared),
    sessions: endpoint(
      { GET: answersJson(listSessions(context)), DELETE: answersJson(endSessions(context)) },
      shared,
    ),
    sessionById: endpoint({ DELETE: answersJson(endSession(context)) }, shared),
    jwks: endpoint({ GET: answersJson(jwks(context)) }, shared),
    stellarToml: endpoint({ GET: stellarToml(context) }, shared),
    healthz: endpoint({ GET: answersJson(healthz()) }, own),
    readyz: endpoint({ GET: answersJson(readyz(context)) }, own),
    notFound,
  };
  const paths = new Map<string, Handler>([
    ["/api/auth/wallet", handlers.wallet],
    ["/api/auth/refresh", handlers.refresh],
    ["/api/auth/logout", handlers.logout],
    ["/api/auth/session", handlers.session],
    ["/api/auth/sessions", handlers.sessions],
    ["/.well-known/jwks.json", handlers.jwks],
    ["/.well-known/stellar.toml", handlers.stellarToml],
    ["/api/healthz", handlers.healthz],
    ["/api/readyz", handlers.readyz],
  ]);

  return {
    ...handlers,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      const handler = SESSION_PATH.test(pathname) ? handlers.sessionById : paths.get(pathname);
      return (handler ?? notFound)(request);
    },
    guard: async (request, guardOptions) =>
      (await authenticateRequest(context, request, guardOptions)).session,
    problem: (error) => faultResponse(error, onFault),
  };
}

const notFound: Handler = async (request) =>
  withBodyFor(request, problemResponse(new SessionError("not_found", "There is nothing at this address.")));
