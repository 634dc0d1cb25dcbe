import { onAbort } from "./abort.ts";
import type { ClientEnvironment } from "./environment.ts";
import { errorOf, SessionClientError, unreachable } from "./problem.ts";
import { ensureRetryKey } from "./retry-key.ts";

export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** The session that an answer names, and for how many seconds its access token is still good. */
export interface SessionAnswer {
  readonly sessionId: string;
  readonly expiresInSeconds: number;
}

export interface Challenge {
  /** Base64 of the transaction envelope to sign. */
  readonly transaction: string;
  readonly networkPassphrase: string;
}

export type Endpoints = ReturnType<typeof createEndpoints>;

/** The auth endpoints as this client calls them: by cookie, from their own origin. Every call rejects with SessionClientError. */
export function createEndpoints(
  basePath: string,
  retryCookie: string,
  fetch: Fetch,
  environment: ClientEnvironment,
) {
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
        redirect: "error",
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

  return {
    /** Sent by `call`, which may renew and send again within the limit. */
    session: (limitMs: number, call: Fetch) =>
      send("/session", { method: "GET" }, limitMs, sessionAnswer, { call }),

    challenge(account: string, limitMs: number): Promise<Challenge> {
      const query = new URLSearchParams({ account });
      return send(`/wallet?${query}`, { method: "GET" }, limitMs, async (response) => {
        const { transaction, network_passphrase: networkPassphrase } = await jsonOf(response);
        if (typeof transaction !== "string" || typeof networkPassphrase !== "string") throw notOurs(response);
        return { transaction, networkPassphrase };
      });
    },

    signIn(transaction: string, limitMs: number, signal: AbortSignal): Promise<SessionAnswer> {
      const init = {
        method: "POST",
        headers: { "content-type": "application/json", "session-transport": "cookie" },
        body: JSON.stringify({ transaction }),
      };
      return send("/wallet", init, limitMs, sessionAnswer, { signal });
    },

    /** Sends no body: the refresh token and the retry key are cookies. */
    refresh(limitMs: number, signal: AbortSignal): Promise<SessionAnswer> {
      ensureRetryKey(environment, retryCookie);
      return send("/refresh", { method: "POST" }, limitMs, sessionAnswer, { signal });
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

/** @throws SessionClientError `unexpected_response` when the answer does not name a session and a lifetime. */
async function sessionAnswer(response: Response): Promise<SessionAnswer> {
  const { session_id: sessionId, expires_in: expiresInSeconds } = await jsonOf(response);
  if (typeof sessionId !== "string" || typeof expiresInSeconds !== "number" || !(expiresInSeconds >= 0)) {
    throw notOurs(response);
  }
  return { sessionId, expiresInSeconds };
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
