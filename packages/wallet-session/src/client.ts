import { type Challenge, Endpoints, type Fetch, sessionAnswer } from "./client/endpoints.ts";
import { browserEnvironment, type ClientEnvironment } from "./client/environment.ts";
import { errorOf, problemCode, unreachable } from "./client/problem.ts";
import { SessionKeeper, type SessionState, type SessionTiming } from "./client/session-keeper.ts";

export type { Challenge } from "./client/endpoints.ts";
export type { ClientEnvironment, Locks } from "./client/environment.ts";
export { errorOf, type ProblemCode, SessionClientError } from "./client/problem.ts";
export type { SessionState, SessionTiming, TerminalCode } from "./client/session-keeper.ts";

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

  /** Renews on waking, focus and coming online too, not only by timer. The function returned stops all renewing. */
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
   * `fetch`, but a 401 of ours that another access token can cure is cured and the request sent once more, once at
   * most. Such a 401 precedes any effect, so this holds for every method. A body given as a stream is sent only once.
   */
  readonly fetch: Fetch;

  /** What is left of the access token and until the next renewal; null unless signed in. */
  timing(): SessionTiming | null;
}

/**
 * The 401s after which a renewal is worth a try. `session_revoked` is among them because another tab may have signed
 * in anew since: the refresh endpoint knows which session the jar holds now, and its word is final.
 */
const CURABLE_CODES = [
  "access_token_missing",
  "access_token_invalid",
  "access_token_expired",
  "session_revoked",
];

const CHALLENGE_LIMIT_MS = 10_000;

/** Makes a client. Nothing is sent, and nothing of the page is changed, before a method is called. */
export function createSessionClient(options: SessionClientOptions = {}): SessionClient {
  const { basePath = "/api/auth", leewaySeconds = 30 } = options;
  const environment = { ...browserEnvironment(), ...options.environment };
  const send: Fetch = options.fetch ?? ((input, init) => fetch(input, init));
  const endpoints = new Endpoints(basePath, send, environment);
  const keeper = new SessionKeeper(endpoints, environment, {
    leewayMs: leewaySeconds * 1_000,
    lockName: `wallet-session ${basePath}`,
  });
  const curedFetch: Fetch = (input, init) => fetchWithCure(keeper, send, input, init);

  return {
    get state() {
      return keeper.state;
    },
    subscribe: (listener) => keeper.subscribe(listener),
    start: () => keeper.start(),
    timing: () => keeper.timing(),
    refresh: () => keeper.renew(),
    fetch: curedFetch,

    async check() {
      const { epoch } = keeper;
      const known = sessionIdOf(keeper.state);
      const response = await curedFetch(endpoints.sessionUrl, { cache: "no-store" }).catch(
        (cause: unknown) => {
          throw unreachable(cause);
        },
      );
      const overtaken =
        keeper.epoch !== epoch || (known !== undefined && sessionIdOf(keeper.state) !== known);
      if (overtaken || keeper.state.status === "signed-out") return keeper.state;
      if (!response.ok) throw await errorOf(response);
      keeper.accept(await sessionAnswer(response));
      return keeper.state;
    },

    async signIn({ account, sign }) {
      const challenge = await endpoints.challenge(account, CHALLENGE_LIMIT_MS);
      const transaction = await sign(challenge);
      return keeper.change((limitMs) => endpoints.signIn(transaction, limitMs));
    },

    signOut: () =>
      keeper.change(async (limitMs) => {
        await endpoints.signOut(limitMs);
        return "signed_out";
      }),
  };
}

async function fetchWithCure(
  keeper: SessionKeeper,
  send: Fetch,
  input: string | URL | Request,
  init: RequestInit | undefined,
): Promise<Response> {
  const sentFor = sessionIdOf(keeper.state);
  const again = input instanceof Request ? input.clone() : input;
  const { answers } = keeper;
  const response = await send(input, init);
  if (response.status !== 401) return response;
  const code = await problemCode(response.clone());
  if (code === undefined || !CURABLE_CODES.includes(code)) return response;

  const renewedMeanwhile = keeper.answers !== answers;
  if (!renewedMeanwhile) {
    // A token so new is not cured by a newer one. None at all, though, means that the jar has changed hands.
    const tokenAtFault = code === "access_token_invalid" || code === "access_token_expired";
    if (tokenAtFault && keeper.justRenewed) return response;
    try {
      await keeper.renew();
    } catch {
      return response;
    }
  }
  // What one person asked for is not done again in the name of another who has signed in since.
  const sendableAs = sessionIdOf(keeper.state);
  if (sendableAs === undefined || (sentFor !== undefined && sentFor !== sendableAs)) return response;
  if (init?.body instanceof ReadableStream) return response;
  await response.body?.cancel();
  return send(again, init);
}

function sessionIdOf(state: SessionState): string | undefined {
  return state.status === "signed-in" ? state.sessionId : undefined;
}
