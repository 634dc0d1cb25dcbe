import { AUTH_BASE_PATH, authPaths } from "../auth-paths.ts";
import { systemClock, systemStopwatch } from "../clock.ts";
import { isLoopback } from "../config/values.ts";
import { cookieNames, defaultCookieName } from "../cookie-names.ts";
import { SessionError } from "../errors.ts";
import { neverThrowing } from "../events.ts";
import type { HttpContext } from "./context.ts";
import { type EndpointOptions, endpoint, faultResponse, withBodyFor } from "./endpoint.ts";
import { refreshDevice, registerDevice } from "./endpoints/device.ts";
import { type IntrospectionClient, introspect } from "./endpoints/introspect.ts";
import { logout } from "./endpoints/logout.ts";
import { oauthMetadata, revoke, token } from "./endpoints/oauth.ts";
import { openapi } from "./endpoints/openapi.ts";
import { HEALTH_PATH, healthz, jwks, metrics, readyz, stellarToml } from "./endpoints/operations.ts";
import { refresh } from "./endpoints/refresh.ts";
import { events, listAlarms, session } from "./endpoints/session.ts";
import { listSessions, revokeSession, revokeSessions } from "./endpoints/sessions.ts";
import { challenge, signIn } from "./endpoints/wallet.ts";
import { createEventStreams, type EventStreams } from "./event-streams/event-streams.ts";
import { type Handler, isPathOf, pathWithBase } from "./handler.ts";
import type { Handlers, HandlersOptions } from "./handlers.ts";
import { type Observer, observed, UNMATCHED_ROUTE } from "./observed.ts";
import { bounce } from "./pages/bounce.ts";
import { guardPage } from "./pages/guard-page.ts";
import { problemResponse } from "./problem.ts";
import { createRateLimits, noRateLimits } from "./rate-limit.ts";
import { createSessionCookies } from "./request/cookies.ts";
import { authenticateRequest, identifyRequest } from "./request/credentials.ts";
import { stepUp } from "./step-up.ts";

export const SITE_ROUTES = {
  jwks: "/.well-known/jwks.json",
  stellarToml: "/.well-known/stellar.toml",
  oauthMetadata: "/.well-known/oauth-authorization-server",
  healthz: HEALTH_PATH,
  readyz: "/api/readyz",
  metrics: "/api/metrics",
  openapi: "/api/openapi.json",
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
  const paths = authPaths(options.basePath ?? AUTH_BASE_PATH);
  const context: HttpContext = {
    paths,
    engine: options.engine,
    wallet: options.wallet,
    publicUrl: options.publicUrl,
    trustedOrigins: options.trustedOrigins ?? [],
    cookies: createSessionCookies(
      cookieNames(options.cookieName ?? defaultCookieName(options.publicUrl.origin)),
      paths.base,
    ),
    deviceBinding: canBind(options.publicUrl) ? (options.deviceBinding ?? "offer") : "off",
    clock: options.clock ?? systemClock,
    limits: (options.rateLimit ?? true) ? createRateLimits() : noRateLimits,
    clientAddress: options.clientAddress ?? (() => null),
    onFault,
    onSignIn: options.onSignIn ?? (() => {}),
    ready: options.ready ?? (async () => {}),
  };
  const streams = createEventStreams({ ...options, clock: context.clock, onFault });
  const observer: Observer = {
    requestId: options.requestId ?? (() => null),
    onRequest: neverThrowing(options.onRequest ?? (() => {})),
    stopwatch: options.stopwatch ?? systemStopwatch,
  };
  const { trustedOrigins } = context;
  const own: EndpointOptions = { cors: false, trustedOrigins, answers: "json", onFault, observer };
  const clients = options.introspectionClients ?? [];
  const open: EndpointOptions = { ...own, cors: true };
  const nothing = observed(UNMATCHED_ROUTE, notFound, observer);
  const handlers = {
    ...sessionEndpoints(context, streams, open),
    ...oauthEndpoints(context, clients, open, nothing),
    ...deviceEndpoints(context, own),
    healthz: endpoint(SITE_ROUTES.healthz, { GET: healthz() }, own),
    readyz: endpoint(SITE_ROUTES.readyz, { GET: readyz(context) }, own),
    metrics: endpoint(
      SITE_ROUTES.metrics,
      { GET: metrics(options.metrics ?? null) },
      { ...own, answers: "any" },
    ),
    openapi: endpoint(
      SITE_ROUTES.openapi,
      {
        GET: openapi(
          context,
          {
            sitePaths: SITE_ROUTES,
            hasMetrics: options.metrics !== undefined,
            hasClients: clients.length > 0,
          },
          options.openapi ?? (() => ({ tags: {}, paths: {} })),
        ),
      },
      open,
    ),
    notFound: nothing,
  };
  const { base, ...authRoutes } = paths;
  const routes = { ...authRoutes, ...SITE_ROUTES };
  const served = (Object.keys(routes) as (keyof typeof routes)[]).filter(
    (name) => handlers[name] !== nothing,
  );
  const nameAt = (...paths: string[]) =>
    served.find((name) => paths.some((path) => isPathOf(routes[name], path)));
  const nameBelow = (pathname: string) => nameAt(pathname, pathWithBase(pathname, base));

  return {
    ...handlers,
    basePath: base,
    cookieNames: context.cookies.names,
    fetch: async (request) => handlers[nameBelow(new URL(request.url).pathname) ?? "notFound"](request),
    serves: (pathname, { whole = false } = {}) =>
      (whole ? nameAt(pathname) : nameBelow(pathname)) !== undefined,
    guard: async (request, guardOptions) =>
      (await authenticateRequest(context, request, guardOptions)).session,
    identify: (request, guardOptions) => identifyRequest(context, request, guardOptions),
    guardPage: (request, pageOptions) => guardPage(context, request, pageOptions),
    stepUp: (request, authenticated, stepUpOptions) => stepUp(context, request, authenticated, stepUpOptions),
    endpoint: (route, methods, { answers = "any" } = {}) => endpoint(route, methods, { ...own, answers }),
    eventStream: (request, session, source) => streams.open(request, session, source),
    closeEventStreams: () => streams.closeAll(),
    eventStreamCount: () => streams.count(),
    problem: (error) => faultResponse(error, onFault),
  };
}

/** Whether browsers hold device keys for this origin. */
function canBind(publicUrl: URL): boolean {
  return publicUrl.protocol === "https:" || isLoopback(publicUrl);
}

/** What only a browser itself may call. */
function deviceEndpoints(context: HttpContext, own: EndpointOptions) {
  const { paths } = context;
  const options: EndpointOptions = { ...own, trustedOrigins: [], answers: "any", errors: "device" };
  return {
    deviceRegister: endpoint(paths.deviceRegister, { POST: registerDevice(context) }, options),
    deviceRefresh: endpoint(paths.deviceRefresh, { POST: refreshDevice(context) }, options),
  };
}

/** What other origins may call. Those that answer with JSON alone, and those that do not. */
function sessionEndpoints(context: HttpContext, streams: EventStreams, json: EndpointOptions) {
  const any: EndpointOptions = { ...json, answers: "any" };
  const { paths } = context;
  return {
    wallet: endpoint(
      paths.wallet,
      { GET: challenge(context), POST: signIn(context) },
      { ...json, errors: "sep-10" },
    ),
    logout: endpoint(paths.logout, { POST: logout(context) }, json),
    session: endpoint(paths.session, { GET: session(context) }, json),
    sessions: endpoint(paths.sessions, { GET: listSessions(context), DELETE: revokeSessions(context) }, json),
    sessionById: endpoint(paths.sessionById, { DELETE: revokeSession(context) }, json),
    alarms: endpoint(paths.alarms, { GET: listAlarms(context) }, json),
    jwks: endpoint(SITE_ROUTES.jwks, { GET: jwks(context) }, json),
    refresh: refreshEndpoint(context, any),
    events: endpoint(paths.events, { GET: events(context, streams) }, any),
    stellarToml: endpoint(SITE_ROUTES.stellarToml, { GET: stellarToml(context) }, any),
  };
}

/** For clients that know OAuth alone. `nothing`: in the place of an endpoint that is not there. */
function oauthEndpoints(
  context: HttpContext,
  clients: readonly IntrospectionClient[],
  json: EndpointOptions,
  nothing: Handler,
) {
  const { paths } = context;
  const oauth: EndpointOptions = { ...json, errors: "oauth" };
  const hasClients = clients.length > 0;
  const lookUp = endpoint(paths.introspect, { POST: introspect(context, clients) }, oauth);
  return {
    token: endpoint(paths.token, { POST: token(context) }, oauth),
    revoke: endpoint(paths.revoke, { POST: revoke(context) }, { ...oauth, answers: "any" }),
    introspect: hasClients ? lookUp : nothing,
    oauthMetadata: endpoint(
      SITE_ROUTES.oauthMetadata,
      { GET: oauthMetadata(context, SITE_ROUTES.jwks, hasClients) },
      json,
    ),
  };
}

/** A page load, or a form that says where it goes on, and the refresh of programs. */
function refreshEndpoint(context: HttpContext, options: EndpointOptions): Handler {
  const [renewAndGoOn, renew] = [bounce(context), refresh(context)];
  const goesOn = ({ url }: Request) => new URL(url).searchParams.has("next");
  const post: Handler = (request) => (goesOn(request) ? renewAndGoOn(request) : renew(request));
  return endpoint(context.paths.refresh, { GET: renewAndGoOn, POST: post }, options);
}

const notFound: Handler = async (request) =>
  withBodyFor(request, problemResponse(new SessionError("not_found", "There is nothing at this address.")));
