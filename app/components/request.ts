import { errorOf, type SessionClient, SessionClientError } from "wallet-session/client";

interface Change {
  readonly body?: unknown;
  /** The version that the person saw: the change is refused if it is no longer the present one. */
  readonly ifVersion?: number;
  /** Given if several presses may send the same change. Default: a new key for each call. */
  readonly idempotencyKey?: string;
  /** Has the wallet sign for the action of this hash, if the server asks for that, and resolves with the value of `Step-Up`. */
  readonly sign?: (action: string) => Promise<string>;
}

/** The server wants the wallet's signature over the action. */
class SignatureWanted extends SessionClientError {
  readonly action: string;

  constructor(cause: SessionClientError, action: string) {
    super(cause.code, cause.message, { cause, status: 401 });
    this.action = action;
  }
}

/** How often a change is sent again under the same key when no answer came, and after how long. */
const RETRY_DELAYS_MS = [400, 1_200];

/** Asks the app's API. @throws SessionClientError */
export async function read<T>(client: SessionClient, path: string): Promise<T> {
  return jsonOf(await send(client, path, { cache: "no-store" }));
}

/**
 * Changes something through the app's API, and resolves with the answer's body. A change whose answer was lost is sent
 * again with the same Idempotency-Key, so that it happens once.
 * @throws SessionClientError
 */
export async function change<T>(client: SessionClient, path: string, options: Change = {}): Promise<T> {
  const { body, ifVersion, idempotencyKey = newIdempotencyKey() } = options;
  const init: RequestInit = {
    method: "POST",
    cache: "no-store",
    headers: {
      "idempotency-key": idempotencyKey,
      ...(ifVersion !== undefined && { "if-match": `"${ifVersion}"` }),
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  };
  try {
    return await changeOnce(client, path, init);
  } catch (error) {
    if (!(error instanceof SignatureWanted) || options.sign === undefined) throw error;
    const headers = { ...init.headers, "step-up": await options.sign(error.action) };
    return changeOnce(client, path, { ...init, headers });
  }
}

async function changeOnce<T>(client: SessionClient, path: string, init: RequestInit): Promise<T> {
  for (const delayMs of RETRY_DELAYS_MS) {
    try {
      return await jsonOf(await send(client, path, init));
    } catch (error) {
      if (!isUndecided(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, delayMs));
    }
  }
  return jsonOf(await send(client, path, init));
}

/** Deletes something through the app's API. @throws SessionClientError */
export function remove(client: SessionClient, path: string): Promise<Response> {
  return send(client, path, { method: "DELETE", cache: "no-store" });
}

export function newIdempotencyKey(): string {
  return crypto.randomUUID();
}

async function send(client: SessionClient, path: string, init: RequestInit): Promise<Response> {
  const response = await client.fetch(path, init).catch((cause: unknown) => {
    throw new SessionClientError("network_error", "The server could not be reached", { cause });
  });
  if (response.ok) return response;
  const body = response.clone();
  const error = await errorOf(response);
  if (error.code !== "insufficient_user_authentication") throw error;
  const { action } = await jsonOf<{ action: string }>(body);
  throw new SignatureWanted(error, action);
}

async function jsonOf<T>(response: Response): Promise<T> {
  try {
    return await response.json();
  } catch (cause) {
    // A page of a captive portal, for example, or an answer that was cut off.
    throw new SessionClientError("unexpected_response", "The answer is not one of ours", {
      cause,
      status: response.status,
    });
  }
}

const UNDECIDED = ["network_error", "unexpected_response", "store_unavailable"];

/** No answer, an answer of another server, or one that says the outcome is unknown. */
function isUndecided(error: unknown): boolean {
  return error instanceof SessionClientError && UNDECIDED.includes(error.code);
}
