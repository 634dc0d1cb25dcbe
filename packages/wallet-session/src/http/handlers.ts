import type { DeviceBinding } from "../bindings/device-binding.ts";
import type { Clock, Stopwatch } from "../clock.ts";
import type { CookieNames } from "../cookie-names.ts";
import type { AuthenticatedSession, SessionEngine } from "../engine/session-engine.ts";
import type { Every } from "../engine/timers.ts";
import type { ApiPart } from "../openapi/document.ts";
import type { WalletMethod } from "../wallets/wallet.ts";
import type { FaultSink } from "./endpoint.ts";
import type { IntrospectionClient } from "./endpoints/introspect.ts";
import type { MetricsEndpoint } from "./endpoints/operations.ts";
import type { ServerEventSource } from "./event-streams/event-stream-body.ts";
import type { Handler, MethodHandlers, RouteParameters } from "./handler.ts";
import type { RequestSink } from "./observed.ts";
import type { GuardPageOptions } from "./pages/guard-page.ts";
import type { SignInHook } from "./sign-in-hook.ts";
import type { StepUpOptions } from "./step-up.ts";

export interface HandlersOptions {
  /** The caller starts and closes it. */
  readonly engine: SessionEngine;
  /** How people sign in. `createStellarWallet` makes one; any {@link WalletMethod} will do. */
  readonly wallet: WalletMethod;
  /** Where browsers reach the service. Its origin is the one that cookies are accepted from. */
  readonly publicUrl: URL;
  /**
   * Other origins of the same site, such as `https://app.example.com`, whose pages may use cookies as the service's own may, and
   * read what the endpoints answer, those of the app too.
   * @default none
   */
  readonly trustedOrigins?: readonly string[];
  /**
   * Where the auth endpoints are, as browsers see it. The server may see less of its beginning, where a framework or a proxy
   * takes that off. createHandlers throws RangeError for anything but a plain path.
   * @default "/api/auth"
   */
  readonly basePath?: string;
  /** A part of the names of the cookies. @default `ws`; on loopback hosts `ws` and the port of the public URL */
  readonly cookieName?: string;
  /**
   * Whether browsers are asked to bind cookie sessions to a device key. `off` as well where browsers would not: without TLS, but
   * on this machine. With access tokens of less than 5 minutes browsers run out of the signatures that they may make.
   * @default "offer"
   */
  readonly deviceBinding?: DeviceBinding;
  /** For tests. @default the system's clock */
  readonly clock?: Clock;
  /** The timer of the event streams. For tests. @default `setInterval`, without keeping the process alive */
  readonly every?: Every;
  /**
   * Limits requests for each minute, counted in this process alone: sign-ins by client address, refreshes by session.
   * @default true
   */
  readonly rateLimit?: boolean;
  /**
   * The client's address, for rate limits and session lists; null where it is not known. {@link peerAddress} finds it.
   * @default never known, so sign-ins are not limited
   */
  readonly clientAddress?: (request: Request) => string | null;
  /** See {@link SignInHook}. @default everybody may sign in */
  readonly onSignIn?: SignInHook;
  /**
   * What else has to answer for this process to be ready, such as the app's own database: `/api/readyz` asks for it beside the
   * session store. Rejects, with `store_unavailable`, where it does not. Must settle within a probe's time.
   * @default nothing else
   */
  readonly ready?: () => Promise<void>;
  /**
   * Told of each fault that was answered with 500, and of Horizon's outages. The store's are events of the engine.
   * @default faults are dropped
   */
  readonly onFault?: FaultSink;
  /** Told of each answer, once it is made. What it throws is dropped. @default reports are dropped */
  readonly onRequest?: RequestSink;
  /**
   * The id that a proxy has given to the request, for log lines and the answer's `X-Request-Id`; null where it gets a new
   * one. {@link requestIdHeader} reads it.
   * @default always a new one
   */
  readonly requestId?: (request: Request) => string | null;
  /** What `/api/metrics` shows, and to whom. @default there is no `/api/metrics` */
  readonly metrics?: MetricsEndpoint;
  /**
   * What `/api/openapi.json` says of the app's own endpoints; asked once, at its first request. The helpers of
   * `wallet-session/openapi` write it, in a module that only this function loads.
   * @default the document has the endpoints of this package alone
   * @example
   * ```ts
   * import { type ApiPart, object, text } from "wallet-session/openapi";
   *
   * export const boats: ApiPart = {
   *   info: { title: "Boats", version: "1.0.0" },
   *   tags: { Boats: "Boats for hire." },
   *   paths: {
   *     "/api/boats/{id}": {
   *       get: {
   *         id: "getBoat",
   *         tag: "Boats",
   *         summary: "A boat",
   *         by: "access",
   *         gives: object({ name: text("Rosalie") }),
   *         refuses: ["not_found"],
   *       },
   *     },
   *   },
   * };
   * ```
   */
  readonly openapi?: () => ApiPart | Promise<ApiPart>;
  /**
   * Who may ask what a token is good for, at `/api/auth/introspect`. An id may come twice, while its secret changes.
   * @default nobody, and there is no such endpoint
   */
  readonly introspectionClients?: readonly IntrospectionClient[];
  /** Times the answers. For tests. @default `performance.now` */
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
  /** OAuth's refresh, sign-out and look-up of tokens, for clients that know no other protocol. */
  readonly token: Handler;
  readonly revoke: Handler;
  /** 404 without {@link HandlersOptions.introspectionClients}. */
  readonly introspect: Handler;
  readonly oauthMetadata: Handler;
  /** Where a browser registers its device key (DBSC), and where it proves it. */
  readonly deviceRegister: Handler;
  readonly deviceRefresh: Handler;
  readonly jwks: Handler;
  /** 404 where the wallet has none. */
  readonly stellarToml: Handler;
  readonly healthz: Handler;
  readonly readyz: Handler;
  readonly metrics: Handler;
  /** The OpenAPI document, with what {@link HandlersOptions.openapi} adds to it. */
  readonly openapi: Handler;
  readonly notFound: Handler;

  readonly basePath: string;
  readonly cookieNames: CookieNames;

  /** All of them behind one: finds the endpoint by the path, a slash at its end or not. */
  readonly fetch: Handler;

  /**
   * Whether {@link Handlers.fetch} has an endpoint at this path. `whole`: not at one that lacks how {@link Handlers.basePath}
   * begins, which may be a path of the app.
   */
  serves(pathname: string, options?: { whole?: boolean }): boolean;

  /**
   * For the routes of an app: verifies who sends a request, by bearer token, DPoP token with its proof, or access cookie. A
   * changing request by cookie must come from a page of ours. `fresh`: see {@link SessionEngine.authenticate}.
   * @throws SessionError access_token_missing, access_token_invalid, access_token_expired, session_revoked,
   *   cross_origin, proof_missing, proof_invalid, proof_nonce, store_unavailable; {@link Handlers.problem} makes the answer of it
   * @example
   * ```ts
   * import type { Handlers } from "wallet-session/http";
   *
   * export async function whoAmI(handlers: Handlers, request: Request): Promise<Response> {
   *   try {
   *     const { actorId } = await handlers.guard(request);
   *     return Response.json({ actorId });
   *   } catch (error) {
   *     return handlers.problem(error);
   *   }
   * }
   * ```
   */
  guard(request: Request, options?: { fresh?: boolean }): Promise<AuthenticatedSession>;

  /**
   * For an app that has credentials of its own beside these: as {@link Handlers.guard}, but null where the request has none
   * of this service's. Then the app looks for its own. Text that only looks like another service's token proves
   * nothing: null means *not ours*.
   * @throws SessionError as {@link Handlers.guard}, for a token of this service's form and issuer that is not good
   * @example
   * ```ts
   * import type { Handlers } from "wallet-session/http";
   *
   * export async function whoIs(handlers: Handlers, request: Request, byApiKey: (request: Request) => Promise<string>) {
   *   const session = await handlers.identify(request);
   *   return session?.actorId ?? byApiKey(request);
   * }
   * ```
   */
  identify(request: Request, options?: { fresh?: boolean }): Promise<AuthenticatedSession | null>;

  /**
   * For the pages of an app: the session of a page load, of the data of a page that a router in another one asks for, or of a
   * form that a page of the site sends; or the redirect to answer with instead, or to throw in a loader of React Router. It
   * leads through the bounce back to the page, a form with its body, or to the sign-in page where there is no session any
   * more. For Next see `wallet-session/next`.
   * @throws SessionError as {@link Handlers.guard}: store_unavailable, and the refusal of any other request, such as a prefetch
   */
  guardPage(request: Request, options: GuardPageOptions): Promise<AuthenticatedSession | Response>;

  /**
   * For an act that a session alone should not allow, such as a payout: whether the one who asks has shown just now that it is
   * they. Null to go on, or the answer to give instead. See {@link StepUpOptions}.
   * @throws SessionError insufficient_user_authentication, with the hash of the action for the wallet's challenge
   *   (`GET {base}/wallet?action=`), whose answer comes with the same request in `Step-Up`; challenge_used, and the wallet's refusals
   * @example
   * ```ts
   * import type { Handlers } from "wallet-session/http";
   *
   * export async function payOut(handlers: Handlers, request: Request, pay: (actorId: string) => Promise<Response>) {
   *   const session = await handlers.guard(request);
   *   const instead = await handlers.stepUp(request, session, { action: "pay out 500 XLM from stream 7" });
   *   return instead ?? pay(session.actorId);
   * }
   * ```
   */
  stepUp(request: Request, session: AuthenticatedSession, options: StepUpOptions): Promise<Response | null>;

  /**
   * An endpoint of the app's own, as those above: answers every method, makes a problem of every exception, and never
   * rejects. It guards nothing by itself. `route`: the template of its path, such as `/api/streams/{id}`, by which logs and
   * metrics know it, and whose parameters each handler gets as its second argument. `answers: "json"` refuses requests that
   * take no JSON with 406 before a handler sees them; by default (`any`) that is left to the handlers. Make it once, not for
   * each request.
   * @example
   * ```ts
   * import type { Handlers } from "wallet-session/http";
   *
   * export function boatEndpoint(handlers: Handlers) {
   *   return handlers.endpoint("/api/boats/{id}", {
   *     async GET(request, { id }) {
   *       const { actorId } = await handlers.guard(request);
   *       return Response.json({ id, owner: actorId });
   *     },
   *   });
   * }
   * ```
   */
  endpoint<Route extends string>(
    route: Route,
    methods: MethodHandlers<RouteParameters<Route>>,
    options?: { readonly answers?: "json" | "any" },
  ): Handler;

  /**
   * Server-sent events for a session that {@link Handlers.guard} has let in: news of the session (`session.expiring`,
   * `session.renewed`, `session.ended`), and what the source gives. It ends with the access token and a grace of two leeways;
   * its client connects again with a newer token. The source is asked for an event
   * only when the reader has room, and its signal aborts when the stream is over. When it ends or throws, the stream
   * ends and the client connects again; a fault of it goes to `onFault`.
   *
   * Does NOT check that the session may see the source's events. A session has 8 event streams at one time in this process by
   * cookie, and 8 by header: one more ends the oldest, whose client, if there is one, connects again.
   * @throws SessionError not_acceptable, invalid_request, cross_origin (by cookie, for a page of another origin), and any
   *   error that the source throws when it is called
   * @example
   * ```ts
   * import type { Handlers } from "wallet-session/http";
   *
   * export function tideEndpoint(handlers: Handlers, tides: (signal: AbortSignal) => AsyncIterable<number>) {
   *   return handlers.endpoint("/api/tides", {
   *     async GET(request) {
   *       const session = await handlers.guard(request);
   *       return handlers.eventStream(request, session, async function* ({ signal }) {
   *         for await (const metres of tides(signal)) yield { event: "tide", data: { metres } };
   *       });
   *     },
   *   });
   * }
   * ```
   */
  eventStream(request: Request, session: AuthenticatedSession, source?: ServerEventSource): Promise<Response>;

  /**
   * For a stop: ends all event streams, so that their clients connect again elsewhere, and from now on each new one after its
   * first bytes. Without it a server waits for ever for its event streams to end.
   */
  closeEventStreams(): void;

  /** How many event streams are open in this process. */
  eventStreamCount(): number;

  /** The problem (RFC 9457) for anything that was thrown: no stack, no echo; faults go to `onFault`. */
  problem(error: unknown): Response;
}
