import type { HttpContext } from "./context.ts";
import { readJar } from "./cookies.ts";
import type { Handler } from "./endpoint.ts";
import { refreshJar } from "./jar.ts";
import { safeNextPath } from "./next-path.ts";
import { queryValue, refuseTokensInQuery } from "./query.ts";
import { noContent, seeOther } from "./response.ts";

/**
 * `GET /api/auth/refresh?next=/path`: the refresh of page loads. A page cannot see the refresh cookie, so it sends the
 * browser here, which comes back with a new access cookie, or with none when the session is over. A fault is a problem,
 * not a redirect: the page would only send the browser here again.
 */
export function bounce(context: HttpContext): Handler {
  return async (request) => {
    refuseTokensInQuery(request);
    const next = safeNextPath(queryValue(request, "next"), context.publicUrl);
    // What nobody has opened yet must not rotate: its answer may be thrown away, cookies and all.
    if (isPrefetch(request) || request.method === "HEAD") return noContent();
    const jar = readJar(request);
    if (jar.refreshToken === null) return seeOther(next);
    const answer = await refreshJar(context, request, { ...jar, refreshToken: jar.refreshToken });
    return seeOther(next, answer.setCookies);
  };
}

function isPrefetch({ headers }: Request): boolean {
  const purpose = headers.get("sec-purpose") ?? headers.get("purpose") ?? headers.get("x-moz") ?? "";
  return purpose.toLowerCase().includes("prefetch");
}
