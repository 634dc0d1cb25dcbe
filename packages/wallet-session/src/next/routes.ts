import type { Handler } from "../http/handler.ts";

/** What a `route.ts` exports. */
export type Routes = Readonly<
  Record<"GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS", Handler>
>;

/**
 * One handler for every method of a `route.ts`: `sessions.fetch` in a catch-all route, or the handler of one endpoint.
 * Each answers 405 by itself to what it does not serve.
 *
 * @example
 * ```ts
 * // app/api/auth/[...path]/route.ts, and the same in app/.well-known/[...path]/route.ts
 * import { routes, sharedSessions } from "wallet-session/next";
 *
 * export const { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS } = routes(sharedSessions().fetch);
 * ```
 */
export function routes(handler: Handler): Routes {
  // Next hands over its context as well, which is none of the handler's business.
  const on: Handler = (request) => handler(request);
  return { GET: on, HEAD: on, POST: on, PUT: on, PATCH: on, DELETE: on, OPTIONS: on };
}
