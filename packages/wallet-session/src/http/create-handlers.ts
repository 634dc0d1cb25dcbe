import { systemClock, systemStopwatch } from "../clock.ts";
import { cookieNames, defaultCookieName } from "../cookie-names.ts";
import { SessionError } from "../errors.ts";
import { neverThrowing } from "../events.ts";
import type { HttpContext } from "./context.ts";
import { type EndpointOptions, endpoint, faultResponse, withBodyFor } from "./endpoint.ts";
import { logout } from "./endpoints/logout.ts";
import { HEALTH_PATH, healthz, jwks, metrics, readyz, stellarToml } from "./endpoints/operations.ts";
import { refresh } from "./endpoints/refresh.ts";
import { events, listAlarms, session } from "./endpoints/session.ts";
import { listSessions, revokeSession, revokeSessions } from "./endpoints/sessions.ts";
import { challenge, signIn } from "./endpoints/wallet.ts";
import { createEventStreams, type EventStreams } from "./event-streams/event-streams.ts";
import { type Handler, isPathOf } from "./handler.ts";
import type { Handlers, HandlersOptions } from "./handlers.ts";
import { type Observer, observed, UNMATCHED_ROUTE } from "./observed.ts";
import { bounce } from "./pages/bounce.ts";
import { guardPage } from "./pages/guard-page.ts";
import { problemResponse } from "./problem.ts";
import { createRateLimits, noRateLimits } from "./rate-limit.ts";
import { createSessionCookies } from "./request/cookies.ts";
import { authenticateRequest } from "./request/credentials.ts";

const ROUTES = {
  wallet: "/api/auth/wallet",
  refresh: "/api/auth/refresh",
  logout: "/api/auth/logout",
  session: "/api/auth/session",
  sessions: "/api/auth/sessions",
  sessionById: "/api/auth/sessions/{id}",
  alarms: "/api/auth/alarms",
  events: "/api/auth/events",
  jwks: "/.well-known/jwks.json",
  stellarToml: "/.well-known/stellar.toml",
  healthz: HEALTH_PATH,
  readyz: "/api/readyz",
  metrics: "/api/metrics",
} as const;

/**
 * Makes the endpoints of an engine and a wallet, from web-standard `Request` to `Response`. Holds the rate limits and the open
 * event streams of this process, so make it once.
 * @example
 * ```ts
 * import type { SessionEngine } from "wallet-session";
 * import { createHandlers } from "wallet-session/http";
 * import { createStellarWallet, masterKeyOnly } from "wallet-session/wallets/stellar";
 *
 * export function fetchOf(engine: SessionEngine, signingSeed: string) {
 *   const wallet = createStellarWallet({
 *     signingSeed,
 *     networkPassphrase: "Test SDF Network ; September 2015",
 *     homeDomain: "pay.example.com",
 *     webAuthEndpoint: "https://pay.example.com/api/auth/wallet",
 *     accountSigners: masterKeyOnly,
 *   });
 *   return createHandlers({ engine, wallet, publicUrl: new URL("https://pay.example.com") }).fetch;
 * }
 * ```
 */
export function createHandlers(options: HandlersOptions): Handlers {
  const onFault = neverThrowing(options.onFault ?? (() => {}));
  const context: HttpContext = {
    engine: options.engine,
    wallet: options.wallet,
    publicUrl: options.publicUrl,
    cookies: createSessionCookies(
      cookieNames(options.cookieName ?? defaultCookieName(options.publicUrl.origin)),
    ),
    clock: options.clock ?? systemClock,
    limits: (options.rateLimit ?? true) ? createRateLimits() : noRateLimits,
    clientAddress: options.clientAddress ?? (() => null),
    onFault,
    ready: options.ready ?? (async () => {}),
  };
  const streams = createEventStreams({ ...options, clock: context.clock, onFault });
  const observer: Observer = {
    requestId: options.requestId ?? (() => null),
    onRequest: neverThrowing(options.onRequest ?? (() => {})),
    stopwatch: options.stopwatch ?? systemStopwatch,
  };
  const own: EndpointOptions = { cors: false, answers: "json", onFault, observer };
  const handlers = {
    ...sessionEndpoints(context, streams, { ...own, cors: true }),
    healthz: endpoint(ROUTES.healthz, { GET: healthz() }, own),
    readyz: endpoint(ROUTES.readyz, { GET: readyz(context) }, own),
    metrics: endpoint(ROUTES.metrics, { GET: metrics(options.metrics ?? null) }, { ...own, answers: "any" }),
    notFound: observed(UNMATCHED_ROUTE, notFound, observer),
  };
  const names = Object.keys(ROUTES) as (keyof typeof ROUTES)[];

  return {
    ...handlers,
    cookieNames: context.cookies.names,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      const name = names.find((known) => isPathOf(ROUTES[known], pathname)) ?? "notFound";
      return handlers[name](request);
    },
    guard: async (request, guardOptions) =>
      (await authenticateRequest(context, request, guardOptions)).session,
    guardPage: (request, pageOptions) => guardPage(context, request, pageOptions),
    endpoint: (route, methods, { answers = "any" } = {}) => endpoint(route, methods, { ...own, answers }),
    eventStream: (request, session, source) => streams.open(request, session, source),
    closeEventStreams: () => streams.closeAll(),
    eventStreamCount: () => streams.count(),
    problem: (error) => faultResponse(error, onFault),
  };
}

/** What other origins may call. Those that answer with JSON alone, and those that do not. */
function sessionEndpoints(context: HttpContext, streams: EventStreams, json: EndpointOptions) {
  const any: EndpointOptions = { ...json, answers: "any" };
  return {
    wallet: endpoint(ROUTES.wallet, { GET: challenge(context), POST: signIn(context) }, json),
    logout: endpoint(ROUTES.logout, { POST: logout(context) }, json),
    session: endpoint(ROUTES.session, { GET: session(context) }, json),
    sessions: endpoint(
      ROUTES.sessions,
      { GET: listSessions(context), DELETE: revokeSessions(context) },
      json,
    ),
    sessionById: endpoint(ROUTES.sessionById, { DELETE: revokeSession(context) }, json),
    alarms: endpoint(ROUTES.alarms, { GET: listAlarms(context) }, json),
    jwks: endpoint(ROUTES.jwks, { GET: jwks(context) }, json),
    // The GET of it is a page load.
    refresh: endpoint(ROUTES.refresh, { GET: bounce(context), POST: refresh(context) }, any),
    events: endpoint(ROUTES.events, { GET: events(context, streams) }, any),
    stellarToml: endpoint(ROUTES.stellarToml, { GET: stellarToml(context) }, any),
  };
}

const notFound: Handler = async (request) =>
  withBodyFor(request, problemResponse(new SessionError("not_found", "There is nothing at this address.")));
