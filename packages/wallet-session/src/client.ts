import { fetchWithCure } from "./client/cured-fetch.ts";
import { type Challenge, Endpoints, type Fetch } from "./client/endpoints.ts";
import { browserEnvironment, type Channel, type ClientEnvironment } from "./client/environment.ts";
import type { SessionState } from "./client/known-session.ts";
import { joinNews, type SessionNews } from "./client/news.ts";
import { SessionKeeper, type SessionTiming } from "./client/session-keeper.ts";
import { startOnce } from "./client/start-once.ts";

export type { EndReason, TerminalCode } from "./client/end-reason.ts";
export type { Challenge } from "./client/endpoints.ts";
export type { Channel, ClientEnvironment, Locks } from "./client/environment.ts";
export type { SessionState } from "./client/known-session.ts";
export { errorOf, type ProblemCode, SessionClientError } from "./client/problem.ts";
export type { SessionTiming } from "./client/session-keeper.ts";
export { sitePath } from "./site-path.ts";

export interface SessionClientOptions {
  /** Where the auth endpoints are mounted. Default `/api/auth`. */
  readonly basePath?: string;
  /** The server's leeway for cookie sessions, in seconds (`REFRESH_LEEWAY`). Default 30. */
  readonly leewaySeconds?: number;
  readonly fetch?: Fetch;
  readonly environment?: Partial<ClientEnvironment>;
}

export interface SignInRequest {
  readonly account: string;
  /** Has the wallet sign; resolves with the signed envelope in base64. What it throws comes out of `signIn` unchanged. */
  readonly sign: (challenge: Challenge) => Promise<string>;
}

/** Sessions by cookie, as a page sees them. The tokens themselves are never within reach of a script. */
export interface SessionClient {
  readonly state: SessionState;

  /** Calls `listener` with each new state, not with the present one. The function returned ends that. */
  subscribe(listener: (state: SessionState) => void): () => void;

  /**
   * From now on renews on waking, focus and coming online too, not only by timer, and exchanges news of the session with
   * the other tabs of this browser: what one has learned from the server, a renewal, a sign-in, an end, holds in all.
   * The function returned stops all of it. Where it runs already, a second call starts nothing.
   */
  start(): () => void;

  /**
   * Asks the server who is signed in, renewing first where only the access token has ended.
   * @throws SessionClientError when the server decided nothing
   */
  check(): Promise<SessionState>;

  /**
   * Fetches a challenge, has it signed, and exchanges it for a session. Refreshes under way are aborted before the
   * exchange and none starts beside it, so no late answer of an earlier session overwrites the new one.
   * Does NOT verify the challenge: it comes from the page's own origin, and the wallet shows what it signs.
   * @throws SessionClientError, and whatever `sign` throws; a session from before stays as it was
   */
  signIn(request: SignInRequest): Promise<SessionState>;

  /** @throws SessionClientError when the server could not be told; the session is then still there */
  signOut(): Promise<SessionState>;

  /**
   * Renews now; concurrent calls share one request.
   * @throws SessionClientError when the server decided nothing; the session is then as it was
   */
  refresh(): Promise<SessionState>;

  /**
   * For use before what cannot be sent twice, as an upload from a stream: renews if the access token is good for less
   * than `minTtlMs`, as far as is known here. A jar younger than two leeways is left alone, since the server would leave
   * it alone too: ask for less than half a token's life. Sends nothing where nobody is signed in.
   * @throws SessionClientError when the server decided nothing; the session is then as it was
   */
  ensureFresh(minTtlMs: number): Promise<SessionState>;

  /**
   * Takes the word of a live feed that the session has ended, and why, to the refresh endpoint, which has the last word
   * and clears the cookies. Nobody is signed out who has a session there. Of the two reasons the more telling one stays.
   * @throws SessionClientError when the server decided nothing; the session is then as it was
   */
  endedElsewhere(code: string): Promise<SessionState>;

  /**
   * `fetch`, but a 401 of ours that another access token can cure is cured and the request sent once more, once at
   * most. Such a 401 precedes any effect, so this holds for every method. A body given as a stream is sent only once.
   * To its own origin it names the session that this tab knows of, so that nothing is asked as one account and answered
   * as another that has signed in in another tab.
   */
  readonly fetch: Fetch;

  /** What is left of the access token and until the next renewal; null unless signed in. */
  timing(): SessionTiming | null;
}

const CHALLENGE_LIMIT_MS = 10_000;
/** Has room for a renewal in between, and for its wait for another tab that renews; not for one that froze while it signed in. */
const CHECK_LIMIT_MS = 20_000;

/** Makes a client. Nothing is sent, and nothing of the page is changed, before a method is called. */
export function createSessionClient(options: SessionClientOptions = {}): SessionClient {
  const { basePath = "/api/auth", leewaySeconds = 30 } = options;
  const environment = { ...browserEnvironment(), ...options.environment };
  const send: Fetch = options.fetch ?? ((input, init) => fetch(input, init));
  const endpoints = new Endpoints(basePath, send, environment);
  const sharedName = `wallet-session ${basePath}`;
  let tabs: Channel<SessionNews> | undefined;
  const keeper = new SessionKeeper(endpoints, environment, {
    leewayMs: leewaySeconds * 1_000,
    lockName: sharedName,
    announce: (news) => tabs?.postMessage(news),
  });
  const curedFetch: Fetch = (input, init) => fetchWithCure(keeper, send, environment.origin, input, init);

  async function check(): Promise<SessionState> {
    const { epoch } = keeper;
    const overtaken = () => keeper.epoch !== epoch;
    const askedAt = environment.now();
    try {
      const answer = await endpoints.session(CHECK_LIMIT_MS, curedFetch);
      if (!overtaken()) keeper.accept(answer, askedAt);
    } catch (error) {
      if (!overtaken()) throw error;
    }
    return keeper.state;
  }

  function run(): () => void {
    const stopKeeping = keeper.start();
    const channel = joinNews(environment, sharedName, (news) => {
      // Where the server does not answer either, what was heard stands until it does.
      if (!keeper.hear(news)) check().catch(() => {});
    });
    tabs = channel;
    return () => {
      stopKeeping();
      channel?.close();
      tabs = undefined;
    };
  }

  return {
    get state() {
      return keeper.state;
    },
    subscribe: (listener) => keeper.subscribe(listener),
    start: startOnce(run),
    check,
    timing: () => keeper.timing(),
    refresh: () => keeper.renew(),
    ensureFresh: (minTtlMs) => keeper.ensureFresh(minTtlMs),
    endedElsewhere: (code) => keeper.endedElsewhere(code),
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
