import type { Exchange } from "./recording.ts";

/** What came of a request. `status` null: no answer reached the client, so the outcome is unknown to it. */
export interface Answer {
  readonly status: number | null;
  /** The code of a problem of ours. */
  readonly code: string | null;
  readonly body: Readonly<Record<string, unknown>>;
  readonly exchange: Exchange;
}

export interface Sent {
  readonly bearer?: string;
  readonly body?: Readonly<Record<string, string>>;
  readonly retryKey?: string;
}

const REQUEST_LIMIT_MS = 10_000;
/** The person's own session must have no part in this. */
const APART = { credentials: "omit", cache: "no-store", redirect: "error" } as const;

/**
 * The network between the lab's client and the server. Requests are real and carry no cookie of this browser. The lab's faults
 * happen here, and the client cannot tell them from a bad network.
 */
export class Wire {
  #connected = new AbortController();
  #losesNext = false;
  #lost: Answer | null = null;

  /** Sends nothing from now on, and drops open connections. */
  cut(): void {
    this.#connected.abort();
  }

  mend(): void {
    if (this.#connected.signal.aborted) this.#connected = new AbortController();
  }

  /** Keeps the answer to the next request from the client. */
  loseNextAnswer(): void {
    this.#losesNext = true;
  }

  /** The last answer that was lost. */
  get lostAnswer(): Answer | null {
    return this.#lost;
  }

  async send(method: string, path: string, sent: Sent = {}): Promise<Answer> {
    if (this.#connected.signal.aborted) return silence(method, path);
    const loses = this.#losesNext;
    this.#losesNext = false;
    const answer = await exchange(method, path, sent, this.#connected.signal);
    if (!loses) return answer;
    this.#lost = answer;
    return silence(method, path);
  }

  /** Opens an event stream; null where none was opened. What it brings is read from the response's body. */
  async connect(path: string, bearer: string, signal: AbortSignal): Promise<Response | null> {
    if (this.#connected.signal.aborted) return null;
    try {
      const response = await fetch(path, {
        headers: { accept: "text/event-stream", authorization: `Bearer ${bearer}` },
        ...APART,
        signal: AbortSignal.any([signal, this.#connected.signal]),
      });
      return response.ok ? response : null;
    } catch {
      return null;
    }
  }
}

async function exchange(
  method: string,
  path: string,
  { bearer, body, retryKey }: Sent,
  connected: AbortSignal,
): Promise<Answer> {
  const headers = new Headers();
  if (bearer !== undefined) headers.set("authorization", `Bearer ${bearer}`);
  if (body !== undefined) headers.set("content-type", "application/json");
  if (retryKey !== undefined) headers.set("idempotency-key", retryKey);
  try {
    const response = await fetch(path, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      ...APART,
      signal: AbortSignal.any([connected, AbortSignal.timeout(REQUEST_LIMIT_MS)]),
    });
    const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json") === true;
    const members = await membersOf(response);
    const code = isProblem && typeof members.code === "string" ? members.code : null;
    const { status } = response;
    return { status, code, body: members, exchange: { method, path, status, code } };
  } catch {
    return silence(method, path);
  }
}

async function membersOf(response: Response): Promise<Record<string, unknown>> {
  const text = await response.text();
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function silence(method: string, path: string): Answer {
  return { status: null, code: null, body: {}, exchange: { method, path, status: null, code: null } };
}
