import type { Exchange } from "./recording.ts";

/** What came of a request. Without a status the outcome is unknown to the client; `code`: that of a problem of ours. */
export interface Answer extends Exchange {
  readonly body: Readonly<Record<string, unknown>>;
}

interface Sent {
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
    const silence = { method, path, status: null, code: null, body: {} };
    if (this.#connected.signal.aborted) return silence;
    const loses = this.#losesNext;
    this.#losesNext = false;
    const answer = await ask(method, path, sent, this.#connected.signal).catch(() => silence);
    if (!loses) return answer;
    this.#lost = answer;
    return silence;
  }

  /** Opens an event stream; null where none was opened. What it brings is read from the response's body. */
  async connect(path: string, bearer: string, signal: AbortSignal): Promise<Response | null> {
    if (this.#connected.signal.aborted) return null;
    const response = await fetch(path, {
      headers: { accept: "text/event-stream", authorization: `Bearer ${bearer}` },
      ...APART,
      signal: AbortSignal.any([signal, this.#connected.signal]),
    }).catch(() => null);
    return response?.ok ? response : null;
  }
}

/** @throws what `fetch` throws where no answer comes */
async function ask(
  method: string,
  path: string,
  { bearer, body, retryKey }: Sent,
  connected: AbortSignal,
): Promise<Answer> {
  const headers = new Headers();
  if (bearer !== undefined) headers.set("authorization", `Bearer ${bearer}`);
  if (body !== undefined) headers.set("content-type", "application/json");
  if (retryKey !== undefined) headers.set("idempotency-key", retryKey);
  const response = await fetch(path, {
    method,
    headers,
    body: body === undefined ? null : JSON.stringify(body),
    ...APART,
    signal: AbortSignal.any([connected, AbortSignal.timeout(REQUEST_LIMIT_MS)]),
  });
  const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json") === true;
  const members = membersOf(await response.text());
  const code = isProblem && typeof members.code === "string" ? members.code : null;
  return { method, path, status: response.status, code, body: members };
}

function membersOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
