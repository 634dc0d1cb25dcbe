import { SessionError } from "../../errors.ts";
import type { HttpContext } from "../context.ts";
import { faultResponse } from "../endpoint.ts";
import type { Handler } from "../handler.ts";
import { refreshJar } from "../jar.ts";
import { type CookieJar, readJar } from "../request/cookies.ts";
import { queryValue, refuseTokensInQuery } from "../request/query.ts";
import { noContent, seeOther } from "../response.ts";
import { safeNextPath } from "./next-path.ts";
import { asksForHtml, isRouterFetch, isSpeculative } from "./page-load.ts";
import { withReason } from "./sign-in-reason.ts";
import { withTryAgainPage } from "./try-again-page.ts";

/**
 * `GET /api/auth/refresh?next=/path[&else=/path]`: the refresh of page loads. A page cannot see the refresh cookie, so it
 * sends the browser here, which comes back to `next` with a new access cookie. Where there is no session, or it is over, it
 * goes to `else` (default: `next`), so a guarded page does not get signed-out visitors back in a loop; `else` is told
 * in `reason` why a session is over. A fault is never a redirect, since the page would only send the browser here again: a
 * program gets the problem, a person a page that says so and tries again.
 */
export function bounce(context: HttpContext): Handler {
  const answer = async (request: Request): Promise<Response> => {
    refuseTokensInQuery(request);
    const next = safeNextPath(queryValue(request, "next"));
    const otherwise = queryValue(request, "else");
    const elsewhere = otherwise === null ? next : safeNextPath(otherwise);
    if (isSpeculative(request) || isRouterFetch(request)) return noContent();

    const jar = readJar(request);
    if (jar.refreshToken === null) return seeOther((await isSignedIn(context, jar)) ? next : elsewhere);
    const result = await refreshJar(context, request, { ...jar, refreshToken: jar.refreshToken });
    const { setCookies } = result;
    if (result.outcome === "refreshed") return seeOther(next, setCookies);
    // A refused jar that is left as it is may be another session's, and good.
    if (setCookies.length === 0 && (await isSignedIn(context, jar))) return seeOther(next);
    return seeOther(otherwise === null ? next : withReason(elsewhere, result.refusal), setCookies);
  };
  return async (request) => {
    try {
      return await answer(request);
    } catch (error) {
      if (!asksForHtml(request)) throw error;
      return withTryAgainPage(faultResponse(error, context.onFault));
    }
  };
}

/** Whether the page that sent the browser here would let it in as it is. */
async function isSignedIn({ engine }: HttpContext, { accessToken }: CookieJar): Promise<boolean> {
  if (accessToken === null) return false;
  try {
    await engine.authenticate(accessToken);
    return true;
  } catch (error) {
    if (error instanceof SessionError && error.code !== "store_unavailable") return false;
    throw error;
  }
}
