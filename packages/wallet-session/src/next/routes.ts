import type { Handler } from "../http/handler.ts";

/** What a `route.ts` exports. */
export interface Routes {
  readonly GET: Handler;
  readonly HEAD: Handler;
  readonly POST: Handler;
  readonly PUT: Handler;
  readonly PATCH: Handler;
  readonly DELETE: Handler;
  readonly OPTIONS: Handler;
}

/**
 * One handler for every method of a `route.ts`: `sessions.fetch` in a catch-all route, or the handler of one endpoint.
 * Each answers 405 by itself to what it does not serve.
 */
export function routes(handler: Handler): Routes {
  // Next hands over its context as well, which is none of the handler's business.
  const handle: Handler = (request) => handler(request);
  return {
    GET: handle,
    HEAD: handle,
    POST: handle,
    PUT: handle,
    PATCH: handle,
    DELETE: handle,
    OPTIONS: handle,
  };
}
