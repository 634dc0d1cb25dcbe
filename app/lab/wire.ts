import type { Fetch } from "wallet-session/token-client";
import type { Exchange } from "./recording.ts";

/** What came of a request. Without a status the outcome is unknown to the client; `code`: that of a problem of ours. */
export interface Answer extends Exchange {
  readonly body: Readonly<Record<string, unknown>>;
}

export const REQUEST_LIMIT_MS = 10_000;
/** The person's own session must have no part in this. */
const APART = { credentials: "omit", cache: "no-store", redirect: "error" } as const;

/**
 * The network between the lab's client and the server. Requests are real and carry no cookie of this browser. The lab's faults
 * happen here, and the client cannot tell them from a bad network.
 */
export class Wire {
  #connected = new AbortController();
  #onLoss: ((lost: Answer) => Promise<void>) | null = null;

  /** Sends nothing from now on, and drops open connections. */
  cut(): void {
    this.#connected.abort();
  }

  mend(): void {
    if (this.#connected.signal.aborted) this.#connected = new AbortController();
  }

  /** Keeps the answer to the next POST from its sender, who waits for it until `meanwhile` is done. */
  loseNextAnswer(meanwhile: (lost: Answer) => Promise<void>): void {
    this.#onLoss = meanwhile;
  }

  readonly fetch: Fetch = async (input, init = {}) => {
    const connected = this.#connected.signal;
    connected.throwIfAborted();
    const onLoss = init.method === "POST" ? this.#onLoss : null;
    if (onLoss !== null) this.#onLoss = null;
    const signal = init.signal ? AbortSignal.any([init.signal, connected]) : connected;
    const response = await fetch(input, { ...init, ...APART, signal });
    if (onLoss === null) return response;
    await onLoss(await answerOf(input, init, Promise.resolve(response)));
    throw new TypeError("The answer was lost.");
  };

  /** A request that is not the client's. */
  send(
    method: string,
    path: string,
    { bearer, body }: { bearer?: string; body?: object } = {},
  ): Promise<Answer> {
    const init = {
      method,
      headers: {
        ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
    };
    return answerOf(path, init, this.fetch(path, init));
  }
}

/** Reads a copy of what a request brings. Never rejects. */
export async function answerOf(
  input: Parameters<Fetch>[0],
  { method = "GET" }: RequestInit,
  response: Promise<Response>,
): Promise<Answer> {
  const { pathname: path } = new URL(input instanceof Request ? input.url : input, location.href);
  try {
    const copy = (await response).clone();
    const body = membersOf(await copy.text());
    const code = !copy.ok && typeof body.code === "string" ? body.code : null;
    return { method, path, status: copy.status, code, body };
  } catch {
    return { method, path, status: null, code: null, body: {} };
  }
}

function membersOf(json: string): Record<string, unknown> {
  try {
    return { ...JSON.parse(json) };
  } catch {
    return {};
  }
}
