import { onAbort } from "../client/abort.ts";
import type { Fetch } from "../client/endpoints.ts";
import { unreachable } from "../client/problem.ts";
import type { TokenClientEnvironment } from "./environment.ts";
import { slashFinder } from "./slash.ts";

const REQUEST_LIMIT_MS = 10_000;

/**
 * `fetch` for the auth endpoints. The limit holds until the answer is read to its end: it is read here.
 * @throws SessionClientError network_error
 */
export function limitedFetch(send: Fetch, { after }: Pick<TokenClientEnvironment, "after">) {
  const findSlash = slashFinder();
  return async (input: string | URL, init: RequestInit = {}): Promise<Response> => {
    const abort = new AbortController();
    const stopLimit = after(REQUEST_LIMIT_MS, () => abort.abort());
    const stopListening = onAbort(init.signal ?? undefined, () => abort.abort());
    try {
      const sent: RequestInit = {
        ...init,
        cache: "no-store",
        credentials: "omit",
        redirect: "manual",
        signal: abort.signal,
      };
      const response = await findSlash(String(input), (address) => send(address, sent));
      const body = await response.arrayBuffer();
      const { status, headers } = response;
      return new Response(body.byteLength === 0 ? null : body, { status, headers });
    } catch (cause) {
      throw unreachable(cause);
    } finally {
      stopLimit();
      stopListening();
    }
  };
}
