import type { Clock, Stopwatch } from "../clock.ts";
import type { CookieNames } from "../cookie-names.ts";
import type { AuthenticatedSession, SessionEngine } from "../engine/session-engine.ts";
import type { Every } from "../engine/timers.ts";
import type { WalletMethod } from "../wallets/wallet.ts";
import type { FaultSink } from "./endpoint.ts";
import type { MetricsEndpoint } from "./endpoints/operations.ts";
import type { ServerEventSource } from "./event-streams/event-stream-body.ts";
import type { Handler, MethodHandlers, RouteParameters } from "./handler.ts";
import type { RequestSink } from "./observed.ts";
import type { GuardPageOptions } from "./pages/guard-page.ts";

export interface HandlersOptions {
  /** The caller starts and closes it. */
  readonly engine: SessionEngine;
  /** How people sign in. `createStellarWallet` makes one; any {@link WalletMethod} will do. */
  readonly wallet: WalletMethod;
  /** Where browsers reach the service. Its origin is the one that cookies are accepted from. */
  readonly publicUrl: URL;
  /** A part of the names of the cookies. @default `ws`; on loopback hosts `ws` and the port of the public URL */
  readonly cookieName?: string;
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
  readonly jwks: Handler;
  /** 404 where the wallet has none. */
  readonly stellarToml: Handler;
  readonly healthz: Handler;
  readonly readyz: Handler;
  readonly metrics: Handler;
  readonly notFound: Handler;

  readonly cookieNames: CookieNames;

  /** All of them behind one: finds the endpoint by the path, at the paths of the contract. */
  readonly fetch: Handler;

  /**
   * For the routes of an app: verifies who sends a request, by bearer token or access cookie. A changing request by cookie must
   * come from a page of ours. `fresh`: see {@link SessionEngine.authenticate}.
   * @throws SessionError access_token_missing, access_token_invalid, access_token_expired, session_revoked,
   *   cross_origin, store_unavailable; {@link Handlers.problem} makes the answer of it
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
   * For the pages of an app: the session of a page load, or the redirect to answer with instead. The redirect leads through the
   * bounce back to the page, or to the sign-in page where there is no session any more. For Next see `wallet-session/next`.
   * @throws SessionError as {@link Handlers.guard}: store_unavailable, and the refusal of a request that is no page load, such as
   *   a prefetch
   */
  guardPage(request: Request, options: GuardPageOptions): Promise<AuthenticatedSession | Response>;

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
   * Server-sent events for a session that {@link Handlers.guard} has let in, for as long as it lives: news of the session
   * (`session.expiring`, `session.renewed`, `session.ended`), and what the source gives. The source is asked for an event
   * only when the reader has room, and its signal aborts when the stream is over. When it ends or throws, the stream
   * ends and the client connects again; a fault of it goes to `onFault`.
   *
   * Does NOT check that the session may see the source's events. A session has 8 event streams at one time in this process:
   * one more ends the oldest, whose client, if there is one, connects again.
   * @throws SessionError not_acceptable, invalid_request, and any error that the source throws when it is called
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
