import { AUTH_BASE_PATH } from "./auth-paths.ts";
import { fetchWithCure } from "./client/cured-fetch.ts";
import { type Challenge, createEndpoints, type Fetch } from "./client/endpoints.ts";
import { browserEnvironment, type Channel, type ClientEnvironment } from "./client/environment.ts";
import type { SessionState } from "./client/known-session.ts";
import { joinNews, type SessionNews } from "./client/news.ts";
import { createSessionKeeper, type SessionTiming } from "./client/session-keeper.ts";
import { startOnce } from "./client/start-once.ts";
import { defaultCookieName, retryCookieName } from "./cookie-names.ts";

export { type EndReason, type TerminalCode, terminalCode } from "./client/end-reason.ts";
export type { Challenge } from "./client/endpoints.ts";
export type { Channel, ClientEnvironment, Locks } from "./client/environment.ts";
export type { SessionState } from "./client/known-session.ts";
export { errorOf, isCurable, type ProblemCode, SessionClientError } from "./client/problem.ts";
export type { SessionTiming } from "./client/session-keeper.ts";
export { sitePath } from "./site-path.ts";

export interface SessionClientOptions {
  /**
   * Where the auth endpoints are mounted, the server's `AUTH_BASE_PATH`: a path of the page's origin, or a URL. All tabs with
   * the same path share their news and locks.
   * @default "/api/auth", below the `basePath` of Next where a page has one
   */
  readonly basePath?: string;
  /**
   * The server's `COOKIE_NAME`, if it is set: the retry key is a cookie that scripts write.
   * @default the server's own default, by the page's origin: `ws`; on loopback hosts `ws` and the port
   */
  readonly cookieName?: string;
  /**
   * The server's leeway for cookie sessions (`REFRESH_LEEWAY`), in seconds. Tokens younger than twice that are not renewed.
   * @default 30
   */
  readonly leewaySeconds?: number;
  /**
   * Sends every request, those of {@link SessionClient.fetch} included. It must send and keep the browser's cookies.
   * @default the global `fetch`
   */
  readonly fetch?: Fetch;
  /**
   * Parts of the page to replace: clock, timers, locks, channels, cookies. For tests, and for hosts that are no browser.
   * @default the page itself
   */
  readonly environment?: Partial<ClientEnvironment>;
}

export interface SignInRequest {
  /** The Stellar account that signs in: an address that begins with `G`. */
  readonly account: string;
  /** Lets the wallet sign; resolves with the signed envelope in base64. {@link SessionClient.signIn} throws what it throws. */
  readonly sign: (challenge: Challenge) => string | Promise<string>;
}

/** A browser's session, whose tokens are cookies that no script can read. Made by {@link createSessionClient}. */
export interface SessionClient {
  /** What this tab knows. A new object after each answer of the server, the same one in between. */
  readonly state: SessionState;

  /** Calls `listener` with each new state, but not with the present one. The function returned unsubscribes it. */
  subscribe(listener: (state: SessionState) => void): () => void;

  /**
   * Renews in the background: by timer, on waking, on focus and on coming online. Shares news with the other tabs of this
   * browser: a renewal, a sign-in or an end in one tab holds in all. The function returned stops all of it. A second call
   * while it runs starts nothing.
   */
  start(): () => void;

  /**
   * Asks the server who is signed in. Renews first if only the access token has ended. Gives up after 20 seconds.
   * @throws {@link SessionClientError} when the server decided nothing; while the state is `unknown`, it is asked again later
   */
  check(): Promise<SessionState>;

  /**
   * Fetches a challenge, lets the wallet sign it and exchanges it for a session. Refreshes under way are aborted before the
   * exchange, in every tab, so no late answer of an earlier session overwrites the new one. Sign-ins and sign-outs of
   * several tabs run one after the other. Each request has 10 seconds; the wallet has as long as it takes.
   *
   * Does NOT verify the challenge: it comes from the page's own origin, and the wallet shows what it signs.
   * @throws {@link SessionClientError}, and whatever `sign` throws; an earlier session then stays as it was.
   *   `cookies_not_kept`: this browser keeps no cookies of the page, so `sign` was not called
   * @example
   * ```ts
   * import { createSessionClient } from "wallet-session/client";
   *
   * const client = createSessionClient();
   * declare const wallet: { address: string; sign(xdr: string, networkPassphrase: string): Promise<string> };
   * await client.signIn({
   *   account: wallet.address,
   *   sign: ({ transaction, networkPassphrase }) => wallet.sign(transaction, networkPassphrase),
   * });
   * ```
   */
  signIn(request: SignInRequest): Promise<SessionState>;

  /**
   * Ends the session at the server and empties the jar.
   * @throws {@link SessionClientError} when the server could not be told; the session is then still there
   */
  signOut(): Promise<SessionState>;

  /**
   * Renews now; concurrent calls share one request. A session that the browser has bound to its key is renewed by the browser,
   * which this only occasions: in the last two minutes of the access token.
   * @throws {@link SessionClientError} when the server decided nothing; the session is then as it was, and a retry is planned
   */
  refresh(): Promise<SessionState>;

  /**
   * Renews if the access token is good for less than `minTtlMs`, as far as this tab knows. Call it before a request that
   * cannot be sent twice. Tokens younger than two leeways are left alone, as the server would leave them: ask for less than
   * half a token's life. Sends nothing when nobody is signed in. A browser renews a bound session two minutes before the end at
   * the earliest, whatever is asked for.
   * @throws {@link SessionClientError} when the server decided nothing; the session is then as it was
   * @example
   * ```ts
   * import { createSessionClient } from "wallet-session/client";
   *
   * const client = createSessionClient();
   * declare const recording: ReadableStream;
   * await client.ensureFresh(60_000);
   * await client.fetch("/api/recordings", { method: "POST", body: recording });
   * ```
   */
  ensureFresh(minTtlMs: number): Promise<SessionState>;

  /**
   * Reports that a live feed says the session has ended, with the code it gave. The refresh endpoint has the last word and
   * clears the cookies; a session that still stands there stays signed in. Of the two reasons, the one that says more stays.
   * @throws {@link SessionClientError} when the server decided nothing; the session is then as it was
   */
  endedElsewhere(code: string): Promise<SessionState>;

  /**
   * `fetch` that cures a 401: if another access token helps, it renews and sends the request once more, at most once. Such a
   * 401 comes before any effect, so this holds for every method. A body that is a stream is sent only once.
   *
   * Requests to the page's own origin name the session that this tab knows, so the server refuses them once another account
   * has signed in in another tab. Other origins are not told.
   * @throws what `fetch` throws; other answers, errors included, are given as they are
   * @example
   * ```ts
   * import { createSessionClient } from "wallet-session/client";
   *
   * const client = createSessionClient();
   * const response = await client.fetch("/api/streams");
   * if (response.ok) console.log(await response.json());
   * ```
   */
  readonly fetch: Fetch;

  /** What is left of the access token, and until the next renewal; null unless signed in. */
  timing(): SessionTiming | null;
}

const CHALLENGE_LIMIT_MS = 10_000;
/** Leaves room for a renewal, and for its wait for another tab that renews; not for a tab that froze while it signed in. */
const CHECK_LIMIT_MS = 20_000;

/** Next writes its `basePath` into the pages that it bundles. */
function defaultBasePath(): string {
  const ofNext = typeof process === "undefined" ? undefined : process.env.__NEXT_ROUTER_BASEPATH;
  return (ofNext ?? "") + AUTH_BASE_PATH;
}

/**
 * Makes the client of a page. It sends nothing, and changes nothing of the page, before a method is called, so it can be made
 * while rendering on the server. Make one for each page, not one for each component.
 * @example
 * ```ts
 * import { createSessionClient } from "wallet-session/client";
 *
 * export const client = createSessionClient({ basePath: "/api/auth" });
 * client.subscribe((state) => console.log(state.status));
 * client.start();
 * await client.check();
 * ```
 */
export function createSessionClient(options: SessionClientOptions = {}): SessionClient {
  const { leewaySeconds = 30 } = options;
  const basePath = (options.basePath ?? defaultBasePath()).replace(/\/$/, "");
  const environment = { ...browserEnvironment(), ...options.environment };
  const send: Fetch = options.fetch ?? ((input, init) => fetch(input, init));
  const { cookieName = defaultCookieName(environment.origin ?? "") } = options;
  const endpoints = createEndpoints(basePath, retryCookieName(cookieName), send, environment);
  const sharedName = `wallet-session ${basePath}`;
  let tabs: Channel<SessionNews> | undefined;
  const keeper = createSessionKeeper(endpoints, environment, {
    leewayMs: leewaySeconds * 1_000,
    lockName: sharedName,
    announce: (news) => tabs?.postMessage(news),
  });
  const curedFetch: Fetch = (input, init) => fetchWithCure(keeper, send, environment.origin, input, init);

  async function check(): Promise<SessionState> {
    const epoch = keeper.epoch();
    const overtaken = () => keeper.epoch() !== epoch;
    const askedAt = environment.now();
    try {
      const answer = await endpoints.session(CHECK_LIMIT_MS, { call: curedFetch });
      if (!overtaken()) keeper.accept(answer, askedAt);
    } catch (error) {
      if (overtaken()) return keeper.state();
      keeper.askAgain(error);
      throw error;
    }
    return keeper.state();
  }

  function run(): () => void {
    const stopKeeping = keeper.start();
    tabs = joinNews(environment, sharedName, (news) => {
      // If the server does not answer either, the news stands until it does.
      if (!keeper.hear(news)) check().catch(() => {});
    });
    return () => {
      stopKeeping();
      tabs?.close();
      tabs = undefined;
    };
  }

  return {
    get state() {
      return keeper.state();
    },
    subscribe: keeper.subscribe,
    start: startOnce(run),
    check,
    timing: keeper.timing,
    refresh: () => keeper.renew(),
    ensureFresh: keeper.ensureFresh,
    endedElsewhere: keeper.endedElsewhere,
    fetch: curedFetch,

    async signIn({ account, sign }) {
      const challenge = await endpoints.challenge(account, CHALLENGE_LIMIT_MS);
      const transaction = await sign(challenge);
      return keeper.change((limitMs, calledOff) => endpoints.signIn(transaction, limitMs, calledOff));
    },

    signOut: () =>
      keeper.change(async (limitMs, calledOff) => {
        await endpoints.signOut(limitMs, calledOff);
        return "signed_out";
      }),
  };
}
