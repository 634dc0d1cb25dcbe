import { onAbort } from "./abort.ts";
import type { ClientEnvironment } from "./environment.ts";
import { errorOf, SessionClientError, unreachable } from "./problem.ts";
import { ensureRetryKey, retryKey } from "./retry-key.ts";

export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** The session that an answer names, and for how many seconds its access token is still good. */
export interface SessionAnswer {
  readonly sessionId: string;
  readonly expiresInSeconds: number;
  /** Whether the browser renews, by a key that the session is bound to. Undefined: not yet, and it may begin any time. */
  readonly isBound: boolean | undefined;
}

export interface Challenge {
  /** Base64 of the transaction envelope to sign. */
  readonly transaction: string;
  readonly networkPassphrase: string;
}

const BY_COOKIE = { "session-transport": "cookie" };
/** Without https, where cookies are blocked, or behind a proxy that drops Set-Cookie. */
const COOKIES_NOT_KEPT = "No cookie of this page is kept: use https";

export type Endpoints = ReturnType<typeof createEndpoints>;

/** The auth endpoints as this client calls them: by cookie, from their own origin. Every call rejects with SessionClientError. */
export function createEndpoints(
  basePath: string,
  retryCookie: string,
  fetch: Fetch,
  environment: ClientEnvironment,
) {
  const { origin } = environment;
  const isElsewhere =
    origin !== undefined && /^https?:/.test(basePath) && new URL(basePath).origin !== origin;

  /** The limit holds until the answer is read to its end, so one that trickles does not block its callers. */
  async function send<T>(
    path: string,
    init: RequestInit,
    limitMs: number,
    read: (response: Response) => Promise<T>,
    { signal, call = fetch }: { readonly signal?: AbortSignal; readonly call?: Fetch } = {},
  ): Promise<T> {
    const abort = new AbortController();
    const giveUp = () => abort.abort();
    const stopLimit = environment.after(limitMs, giveUp);
    const stopListening = onAbort(signal, giveUp);
    try {
      const response = await call(`${basePath}${path}`, {
        ...init,
        cache: "no-store",
        credentials: "include",
        // Redirects are followed: Next's `trailingSlash` sends each path to the one with a slash. What a portal's leads to is
        // told from an answer of ours by its shape.
        // Never `keepalive`: Chromium goes on with such a request after an abort, and its late answer still sets cookies. What
        // a closed tab loses is asked for again with the jar's retry key.
        // Not `AbortSignal.any` either: browsers have it only since 2024, and Node at times forgets to abort.
        signal: abort.signal,
      });
      if (!response.ok) throw await errorOf(response);
      return await read(response);
    } catch (cause) {
      if (cause instanceof SessionClientError) throw cause;
      throw unreachable(cause);
    } finally {
      stopLimit();
      stopListening();
    }
  }

  /** @throws SessionClientError `unexpected_response` when the answer does not name a session and a lifetime. */
  async function sessionAnswer(response: Response): Promise<SessionAnswer> {
    const { session_id: sessionId, expires_in: expiresInSeconds, binding } = await jsonOf(response);
    if (typeof sessionId !== "string" || typeof expiresInSeconds !== "number" || !(expiresInSeconds >= 0)) {
      throw notOurs(response);
    }
    // A page of another origin is not shown whether the browser was asked to bind the session.
    const mayBeBound = binding === null || isElsewhere || response.headers.has("secure-session-registration");
    return { sessionId, expiresInSeconds, isBound: binding === "device" || (mayBeBound ? undefined : false) };
  }

  return {
    /** Sent by `call`, which may renew and send again within the limit. */
    session: (limitMs: number, options: { readonly signal?: AbortSignal; readonly call?: Fetch }) =>
      send("/session", { method: "GET" }, limitMs, sessionAnswer, options),

    /** The retry key that the jar holds. The answer that changes the jar's tokens deletes it, also where another tab has asked for them. */
    retryKey: () => retryKey(environment, retryCookie),
    ensureRetryKey: () => ensureRetryKey(environment, retryCookie),

    challenge(account: string, limitMs: number, again = false): Promise<Challenge> {
      const init = { method: "GET", headers: BY_COOKIE };
      return send(`/wallet?${new URLSearchParams({ account })}`, init, limitMs, async (response) => {
        const { transaction, network_passphrase: networkPassphrase } = await jsonOf(response);
        if (typeof transaction !== "string" || typeof networkPassphrase !== "string") throw notOurs(response);
        // An answer that says so sets one, which the next request shows.
        if (response.headers.get("session-cookies") !== "none") return { transaction, networkPassphrase };
        if (again) throw new SessionClientError("cookies_not_kept", COOKIES_NOT_KEPT);
        return this.challenge(account, limitMs, true);
      });
    },

    signIn(transaction: string, limitMs: number, signal: AbortSignal): Promise<SessionAnswer> {
      const init = {
        method: "POST",
        headers: { ...BY_COOKIE, "content-type": "application/json" },
        body: JSON.stringify({ transaction }),
      };
      return send("/wallet", init, limitMs, sessionAnswer, { signal });
    },

    /** Sends no body: the refresh token and the retry key are cookies. A server elsewhere is not shown this page's. */
    async refresh(limitMs: number, signal: AbortSignal): Promise<SessionAnswer> {
      const key = this.ensureRetryKey();
      const init = { method: "POST", ...(isElsewhere && { headers: { "idempotency-key": key } }) };
      const answer = await send("/refresh", init, limitMs, sessionAnswer, { signal });
      if (isElsewhere) environment.cookies.write(`${retryCookie}=; Path=/; Secure; Max-Age=0`);
      return answer;
    },

    signOut(limitMs: number, signal: AbortSignal): Promise<void> {
      // A 200 of a captive portal has told the server nothing.
      const read = async (response: Response) => {
        if (response.status !== 204) throw notOurs(response);
      };
      return send("/logout", { method: "POST" }, limitMs, read, { signal });
    },
  };
}

/** @throws SessionClientError `unexpected_response` when the body is no JSON object */
export async function jsonOf(response: Response): Promise<Partial<Record<string, unknown>>> {
  try {
    const body: unknown = await response.json();
    if (typeof body === "object" && body !== null) return { ...body };
  } catch {
    // Not JSON, or cut off: the same as another shape.
  }
  throw notOurs(response);
}

function notOurs(response: Response): SessionClientError {
  return new SessionClientError("unexpected_response", "The answer is not one of ours", {
    status: response.status,
  });
}
