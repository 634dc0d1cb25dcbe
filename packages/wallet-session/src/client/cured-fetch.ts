import type { Fetch } from "./endpoints.ts";
import { sessionIdOf } from "./known-session.ts";
import { isCurable, problemCode } from "./problem.ts";
import type { SessionKeeper } from "./session-keeper.ts";

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
  // The end that another request has met is not asked for again: that would leave a retry key in the emptied jar.
  const isOver = sentFor !== undefined && sessionIdOf(keeper.state()) === undefined;
  if (isOver || !isCurable(code)) return response;

  const renewedMeanwhile = keeper.answers() !== answers;
  if (!renewedMeanwhile) {
    const tokenAtFault = code !== "session_revoked";
    // A newer token does not cure one this new. A missing token, though, means that the jar has changed hands.
    if (tokenAtFault && code !== "access_token_missing" && keeper.justRenewed()) return response;
    try {
      await keeper.renew(tokenAtFault);
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
