import type { LeaseEndCode } from "../../engine/session-engine.ts";
import type { SessionError } from "../../errors.ts";
import { STORE_RETRY_AFTER_SECONDS } from "../../limits.ts";
import { sitePath } from "../../site-path.ts";
import type { HttpContext } from "../context.ts";
import { faultResponse } from "../endpoint.ts";
import type { Handler } from "../handler.ts";
import { openJar, refreshJar } from "../jar.ts";
import { signedIn } from "../request/credentials.ts";
import { queryValue, refuseTokensInQuery } from "../request/query.ts";
import { noContent, seeOther } from "../response.ts";
import { asksForHtml, BOUNCE_PATH, isRouterFetch, isSpeculative } from "./guard-page.ts";

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

    const jar = await openJar(context, request);
    const result = jar.cookies.refreshTokens.length === 0 ? null : await refreshJar(context, request, jar);
    if (result?.outcome === "refreshed") return seeOther(next, result.setCookies);
    // A refusal clears nothing: no script can call off a page load, so its answer may come after a newer sign-in's.
    const session = await signedIn(context.engine, jar);
    // Whether the page that sent the browser here would let it in as it is.
    if (session !== null && session.sessionId !== jar.refresh?.sessionId) return seeOther(next);
    // Of a session that this browser was not signed in to, its person is told nothing.
    if (otherwise === null || result === null || jar.refresh === null) return seeOther(elsewhere);
    return seeOther(withReason(elsewhere, result.refusal));
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

/**
 * The problem as a page, for a person whose page load met it: says that nothing is lost and loads itself again by itself,
 * without a script. Keeps status and Retry-After. A refusal that repeating does not mend stays the problem that it is.
 */
function withTryAgainPage(problem: Response): Response {
  if (problem.status < 500 && problem.status !== 429) return problem;
  const headers = new Headers(problem.headers);
  const seconds = Number(headers.get("Retry-After") ?? STORE_RETRY_AFTER_SECONDS);
  headers.set("Retry-After", String(seconds));
  headers.set("Content-Type", "text/html; charset=utf-8");
  headers.set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
  return new Response(page(seconds), { status: problem.status, headers });
}

/** Says nothing of the request or of the fault. */
function page(seconds: number): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="${seconds}">
<title>One moment</title>
<style>
body { font: 1rem/1.6 system-ui, sans-serif; max-width: 32rem; margin: 20vh auto 0; padding: 0 1.25rem }
</style>
<h1>One moment</h1>
<p>The service cannot answer right now. Nothing is lost: if you were signed in, you still are.</p>
<p>This page tries again by itself. <a href="">Try now</a></p>
</html>
`;
}

/**
 * Why a page load is led to the sign-in page: the code with which an event stream of the session would have ended, or that the
 * operator has ended it.
 */
type SignInReason =
  | Extract<LeaseEndCode, "session_revoked" | "refresh_token_reused" | "refresh_token_expired">
  | "ended_by_operator";

/** Only the path and its query are looked at. */
const BASE = "https://here.invalid";

/**
 * `path` with the reason of the refusal as `?reason=`. Unchanged where the person knows the reason or there is none to tell: signed out here, signed in anew here, or a cookie that never was one of ours.
 */
function withReason(path: string, refusal: SessionError): string {
  const reason = reasonOf(refusal);
  if (reason === null) return path;
  const { pathname, search, hash } = new URL(path, BASE);
  const query = new URLSearchParams(search);
  query.set("reason", reason);
  return `${pathname}?${query}${hash}`;
}

function reasonOf({ code, endedAs }: SessionError): SignInReason | null {
  // The row says more than the code: a page load that comes after the alarm is told of the alarm as well.
  if (code === "refresh_token_reused" || endedAs === "reuse") return "refresh_token_reused";
  if (code === "refresh_token_expired") return "refresh_token_expired";
  if (endedAs === "admin") return "ended_by_operator";
  return endedAs === "ended" ? "session_revoked" : null;
}

/** `next` as a path of this site; `/` for everything that leads elsewhere, is not a path, or leads back to the bounce. */
export function safeNextPath(next: string | null): string {
  const path = sitePath(next) ?? "/";
  return /^[^?#]*/.exec(path)?.[0] === BOUNCE_PATH ? "/" : path;
}
