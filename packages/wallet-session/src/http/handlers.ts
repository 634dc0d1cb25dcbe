import { type Clock, type Stopwatch, systemClock, systemStopwatch } from "../clock.ts";
import type { AuthenticatedSession, SessionEngine } from "../engine/session-engine.ts";
import type { Every } from "../engine/timers.ts";
import { SessionError } from "../errors.ts";
import { neverThrowing } from "../events.ts";
import type { HttpContext } from "./context.ts";
import { type EndpointOptions, endpoint, type FaultSink, faultResponse, withBodyFor } from "./endpoint.ts";
import { logout } from "./endpoints/logout.ts";
import {
  HEALTH_PATH,
  healthz,
  jwks,
  type MetricsEndpoint,
  metrics,
  readyz,
  stellarToml,
} from "./endpoints/operations.ts";
import { refresh } from "./endpoints/refresh.ts";
import { events, listAlarms, session } from "./endpoints/session.ts";
import { listSessions, revokeSession, revokeSessions } from "./endpoints/sessions.ts";
import { challenge, signIn } from "./endpoints/wallet.ts";
import type { ServerEventSource } from "./event-streams/event-stream-body.ts";
import { createEventStreams, type EventStreams } from "./event-streams/event-streams.ts";
import { type Handler, isPathOf, type MethodHandlers, type RouteParameters } from "./handler.ts";
import { type Observer, observed, type RequestSink, UNMATCHED_ROUTE } from "./observed.ts";
import { bounce } from "./pages/bounce.ts";
import { type GuardPageOptions, guardPage } from "./pages/guard-page.ts";
import { problemResponse } from "./problem.ts";
import { createRateLimits, noRateLimits } from "./rate-limit.ts";
import { authenticateRequest } from "./request/credentials.ts";

export interface HandlersOptions {
  readonly engine: SessionEngine;
  /** `createStellarWallet` makes one. */
  readonly wallet: HttpContext["wallet"];
  /** Where browsers reach the service. Its origin is the one that cookies are accepted from. */
  readonly publicUrl: URL;
  readonly clock?: Clock;
  /** The timer of the event streams. */
  readonly every?: Every;
  /** Counted in this process alone. Default: true. */
  readonly rateLimit?: boolean;
  /** The client's address, for rate limits and session lists; null where it is not known. See `peerAddress`. */
  readonly clientAddress?: (request: Request) => string | null;
  /**
   * What else has to answer for this process to be ready, such as the app's own database: `/api/readyz` asks for it beside the
   * session store. Rejects, with `store_unavailable`, where it does not. Must settle within a probe's time.
   */
  readonly ready?: () => Promise<void>;
  /** Told of what was answered with 500, and of Horizon's outages. The store's are events of the engine. */
  readonly onFault?: FaultSink;
  /** Told of each answer, once it is made. What it throws is dropped. */
  readonly onRequest?: RequestSink;
  /**
   * The id that a proxy has given to the request, for log lines and the answer's `X-Request-Id`; null where it gets a new
   * one. Default: always a new one. See `requestIdHeader`.
   */
  readonly requestId?: (request: Request) => string | null;
  /** Without it there is no `/api/metrics`. */
  readonly metrics?: MetricsEndpoint;
  /** What answers are timed with. */
  readonly stopwatch?: Stopwatch;
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
  readonly alarms: Handler;
  /** The session's own events, without a source. */
  readonly events: Handler;
  readonly jwks: Handler;
  readonly stellarToml: Handler;
  readonly healthz: Handler;
  readonly readyz: Handler;
  readonly metrics: Handler;
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

  /**
   * For the pages of an app: who opens this one, or the redirect to answer with instead, which leads through the bounce back
   * to it, or to the sign-in page where there is no session any more. For Next see `wallet-session/next`.
   * @throws SessionError as `guard`: store_unavailable, and the refusal of what is no page load, such as a prefetch
   */
  guardPage(request: Request, options: GuardPageOptions): Promise<AuthenticatedSession | Response>;

  /**
   * An endpoint of the app's own, as those above: answers every method, makes a problem of every exception, and never
   * rejects. It guards nothing by itself. `route`: the template of its path, such as `/api/streams/{id}`, by which logs and
   * metrics know it, and whose parameters each handler gets as its second argument. `answers: "json"` refuses requests that
   * take no JSON with 406 before a handler sees them; by default that is left to the handlers.
   */
  endpoint<Route extends string>(
    route: Route,
    methods: MethodHandlers<RouteParameters<Route>>,
    options?: { readonly answers?: "json" | "any" },
  ): Handler;

  /**
   * Server-sent events for whom `guard` has let in, for as long as the session lives: news of the session
   * (`session.expiring`, `session.renewed`, `session.ended`), and what the source gives. The source is asked for an event
   * only when the reader has room, and its signal aborts when the stream is over. When it ends or throws, the stream
   * ends and the client connects again; a fault of it goes to `onFault`.
   *
   * Does NOT check that the session may see what the source gives. A session has 8 at one time in this process: one more
   * ends the oldest, whose client, if there is one, connects again.
   * @throws SessionError not_acceptable, invalid_request, and whatever the source throws when it is called
   */
  eventStream(request: Request, session: AuthenticatedSession, source?: ServerEventSource): Promise<Response>;

  /**
   * For a stop: ends all event streams, which their clients take as a reason to connect again, and from now on each new
   * one after its first bytes. Without it a server waits for ever for its streams to end.
   */
  closeEventStreams(): void;

  /** How many event streams are open in this process. */
  eventStreamCount(): number;

  /** The problem (RFC 9457) for whatever was thrown: no stack, no echo; faults go to `onFault`. */
  problem(error: unknown): Response;
}

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

/** The endpoints of a session, from web-standard `Request` to `Response`. Keeps rate limits and open event streams. */
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
