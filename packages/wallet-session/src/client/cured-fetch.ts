import type { ErrorCodeThat } from "../error-codes.ts";
import type { Fetch } from "./endpoints.ts";
import { sessionIdOf } from "./known-session.ts";
import { problemCode } from "./problem.ts";
import type { SessionKeeper } from "./session-keeper.ts";

/**
 * The 401s after which a renewal is worth a try. `session_revoked` is among them because another tab may have signed
 * in anew since: the refresh endpoint knows which session the jar holds now, and its word is final.
 */
const CURABLE: Readonly<Record<ErrorCodeThat<"curable">, true>> = {
  access_token_missing: true,
  access_token_invalid: true,
  access_token_expired: true,
  session_revoked: true,
};

/** Whether another access token may cure a refusal with this code. Does NOT say that the session still stands. */
export function isCurable(code: unknown): boolean {
  return typeof code === "string" && Object.hasOwn(CURABLE, code);
}

type Input = string | URL | Request;

/**
 * `send`, but a 401 of ours that another access token can cure is cured and the request sent once more, once at most.
 * Requests to `origin`, the page's own, say for which session they are meant.
 */
export async function fetchWithCure(
  keeper: SessionKeeper,
  send: Fetch,
  origin: string | undefined,
  input: Input,
  init: RequestInit | undefined,
): Promise<Response> {
  const sentFor = sessionIdOf(keeper.state());
  const again = input instanceof Request ? input.clone() : input;
  const answers = keeper.answers();
  const response = await send(input, naming(sentFor, origin, input, init));
  if (response.status !== 401) return response;
  const code = await problemCode(response.clone());
  if (!isCurable(code)) return response;

  const renewedMeanwhile = keeper.answers() !== answers;
  if (!renewedMeanwhile) {
    // A newer token does not cure one this new. A missing token, though, means that the jar has changed hands.
    const tokenAtFault = code === "access_token_invalid" || code === "access_token_expired";
    if (tokenAtFault && keeper.justRenewed()) return response;
    try {
      await keeper.renew();
    } catch {
      return response;
    }
  }
  // A request of one person is not sent again in the name of another who has signed in since.
  const sendableAs = sessionIdOf(keeper.state());
  if (sendableAs === undefined || (sentFor !== undefined && sentFor !== sendableAs)) return response;
  if (!isReplayable(init?.body)) return response;
  await response.body?.cancel();
  return send(again, naming(sendableAs, origin, again, init));
}

/**
 * Names the session that this tab knows. The browser sends the cookies, and another tab may have signed in as somebody else
 * since: the server then refuses rather than answer for that account.
 */
function naming(
  sessionId: string | undefined,
  origin: string | undefined,
  input: Input,
  init: RequestInit | undefined,
): RequestInit | undefined {
  if (sessionId === undefined || origin === undefined) return init;
  // Not `URL.parse`, which browsers have only since 2024. A malformed URL throws here as it does in `fetch`.
  const url = new URL(input instanceof Request ? input.url : input, origin);
  if (url.origin !== origin) return init;
  const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
  headers.set("session-id", sessionId);
  return { ...init, headers };
}

/** Whether a body gives the same bytes when it is sent again. A stream does not. */
export function isReplayable(body: unknown): boolean {
  return (
    body === undefined ||
    body === null ||
    typeof body === "string" ||
    body instanceof ArrayBuffer ||
    ArrayBuffer.isView(body) ||
    body instanceof Blob ||
    body instanceof FormData ||
    body instanceof URLSearchParams
  );
}
