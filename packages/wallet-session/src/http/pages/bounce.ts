import { elapsedMs } from "../../clock.ts";
import type { LeaseEndCode } from "../../engine/lease-event.ts";
import type { AuthenticatedSession } from "../../engine/session-engine.ts";
import { SessionError } from "../../errors.ts";
import { STORE_RETRY_AFTER_SECONDS } from "../../limits.ts";
import { sitePath } from "../../site-path.ts";
import type { HttpContext } from "../context.ts";
import { offerRegistration } from "../device-binding.ts";
import { faultResponse } from "../endpoint.ts";
import { type Handler, withoutSlash } from "../handler.ts";
import { type OpenJar, openJar, refreshJar } from "../jar.ts";
import { problemResponse } from "../problem.ts";
import { requireOurPage, signedIn } from "../request/credentials.ts";
import { queryValue, refuseTokensInQuery } from "../request/query.ts";
import { retryKeyFromCookie } from "../request/retry-key.ts";
import { skippedReason } from "../request/skipped-proof.ts";
import { noContent, redirect, seeOther } from "../response.ts";
import { asksForHtml, isRouterFetch, isServerAction, isSpeculative } from "./guard-page.ts";

/**
 * `GET /api/auth/refresh?next=/path[&else=/path]`: the refresh of page loads. A page cannot see the refresh cookie, so it
 * sends the browser here, which comes back to `next` with a new access cookie. Where there is no session, or it is over, it
 * goes to `else` (default: `next`), so a guarded page does not get signed-out visitors back in a loop; `else` is told
 * in `reason` why a session is over. A fault is never a redirect, since the page would only send the browser here again: a
 * program gets the problem, a person a page that says so and tries again.
 *
 * Of a session that is bound to a device key it renews nothing. A browser that has the key renews the session itself, before it
 * comes: where it still had a cookie, it is told to by one more hop without that.
 *
 * `POST` is the same for a form or a server action, whose body comes along and is not read: it goes to `next` as a POST. Where
 * there is no session a form becomes a page load of `else`; a server action goes there as it is, since its script follows
 * to no page.
 */
export function bounce(context: HttpContext): Handler {
  const answer = async (request: Request): Promise<Response> => {
    refuseTokensInQuery(request);
    const next = safeNextPath(queryValue(request, "next"), context.paths.refresh);
    const otherwise = queryValue(request, "else");
    const elsewhere = otherwise === null ? next : safeNextPath(otherwise, context.paths.refresh);
    if (request.method === "POST") requireOurPage(request, context);
    else if (isSpeculative(request) || isRouterFetch(request)) return noContent();

    const jar = await openJar(context, request);
    if (needsRetryKey(request, jar)) {
      return redirect(request, comingBack(request, KEYED), [context.cookies.newRetryKey()]);
    }
    // Whether the page that sent the browser here would let it in as it is.
    const session = await signedIn(context.engine, jar);
    const proving = provingOf(context, request, jar, session);
    const result =
      jar.cookies.refreshTokens.length === 0
        ? null
        : await refreshJar(context, request, jar, { mayStillProve: proving !== "failed" });
    if (result?.outcome === "refreshed") {
      return offerRegistration(redirect(request, next, result.setCookies), result.offer);
    }
    // A refusal clears nothing for good: no script can call off a page load, so its answer may come after a newer sign-in's.
    if (session !== null && session.sessionId !== jar.refresh?.sessionId) return redirect(request, next);
    if (result?.refusal.code === "proof_missing" && proving !== "failed") {
      return answerUnproved(context, request, next, proving);
    }
    if (isServerAction(request)) return redirect(request, elsewhere);
    // Of a session that this browser was not signed in to, its person is told nothing.
    if (otherwise === null || result === null || jar.refresh === null) return seeOther(elsewhere);
    return seeOther(withReason(elsewhere, result.refusal));
  };
  return async (request) => {
    if (!asksForHtml(request)) return answer(request);
    const response = await answer(request).catch((error) => faultResponse(error, context.onFault));
    return withTryAgainPage(request, response);
  };
}

/**
 * How a bound session's browser stands to its key. `proved`: moments ago. `could not`: it says so. `may`: it has a cookie, so it did
 * not ask for one before it came. `failed`: it has none, or was told to ask, so it holds no key.
 */
type Proving = "proved" | "could not" | "may" | "failed";

function provingOf(
  { clock }: HttpContext,
  request: Request,
  { cookies }: OpenJar,
  session: AuthenticatedSession | null,
): Proving {
  if (session !== null && isYoung(session, clock.now())) return "proved";
  if (skippedReason(request) !== null) return "could not";
  return cookies.accessTokens.length > 0 && queryValue(request, ASKED) === null ? "may" : "failed";
}

/** Within the first half of its life no page sends it here. */
function isYoung({ issuedAt, accessExpiresAt }: AuthenticatedSession, now: number): boolean {
  return elapsedMs(issuedAt, now) < (accessExpiresAt - issuedAt) / 2;
}

/** Of a bound session, whose browser alone can renew it: beside a request that lacks the access cookie. */
function answerUnproved(
  { cookies }: HttpContext,
  request: Request,
  next: string,
  proving: Exclude<Proving, "failed">,
): Response {
  switch (proving) {
    case "proved":
      return redirect(request, next);
    case "could not":
      return problemResponse(
        new SessionError("proof_unavailable", "The browser could not prove its key just now."),
      );
    case "may":
      return redirect(request, comingBack(request, ASKED), cookies.cleared(["access"]));
  }
}

/**
 * A browser's page load whose jar has no retry key. The page that sent it here sets one, but a framework's page may not be able
 * to, and a renewal in a tab deletes it on the way. Sets it before the first send, by one more hop: a page load whose answer
 * is lost may come again much later.
 */
function needsRetryKey(request: Request, { refresh, cookies }: OpenJar): boolean {
  if (refresh === null || retryKeyFromCookie(cookies.retryKey) !== null) return false;
  return request.headers.get("sec-fetch-dest") === "document" && queryValue(request, KEYED) === null;
}

/** Says that the hop was made: a browser that keeps no retry key goes on without. */
const KEYED = "keyed";
/** The same of a browser that was told to prove its key. */
const ASKED = "asked";

/** The same endpoint, under whatever path browsers see it. */
function comingBack(request: Request, hop: typeof KEYED | typeof ASKED): string {
  const query = new URL(request.url).searchParams;
  query.set(hop, "1");
  return `?${query}`;
}

/**
 * The problem as a page, for a person whose page load met it: says that nothing is lost and loads itself again by itself,
 * without a script. Keeps status and Retry-After. A refusal that repeating does not mend stays the problem that it is.
 *
 * A form is sent again by the browser alone, when its person reloads: a page that loads itself would drop what is in it.
 */
function withTryAgainPage({ method }: Request, problem: Response): Response {
  if (problem.status < 500 && problem.status !== 429) return problem;
  const headers = new Headers(problem.headers);
  const seconds = Number(headers.get("Retry-After") ?? STORE_RETRY_AFTER_SECONDS);
  headers.set("Retry-After", String(seconds));
  headers.set("Content-Type", "text/html; charset=utf-8");
  headers.set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
  return new Response(method === "POST" ? page("", FORM_AGAIN) : page(refreshAfter(seconds), LOAD_AGAIN), {
    status: problem.status,
    headers,
  });
}

const LOAD_AGAIN = 'This page tries again by itself. <a href="">Try now</a>';
const FORM_AGAIN = "Your form has not been sent yet. Reload this page to send it as it is.";

const refreshAfter = (seconds: number) => `<meta http-equiv="refresh" content="${seconds}">\n`;

/** Says nothing of the request or of the fault. */
function page(meta: string, advice: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
${meta}<title>One moment</title>
<style>
body { font: 1rem/1.6 system-ui, sans-serif; max-width: 32rem; margin: 20vh auto 0; padding: 0 1.25rem }
</style>
<h1>One moment</h1>
<p>The service cannot answer right now. Nothing is lost: if you were signed in, you still are.</p>
<p>${advice}</p>
</html>
`;
}

/**
 * Why a page load is led to the sign-in page: the code with which an event stream of the session would have ended, that the
 * operator has ended it, or that it goes on with a key that this browser does not have.
 */
type SignInReason =
  | Extract<LeaseEndCode, "session_revoked" | "refresh_token_reused" | "refresh_token_expired">
  | "ended_by_operator"
  | "proof_missing";

/** Only the path and its query are looked at. */
const BASE = "https://here.invalid";

/**
 * `path` with the reason of the refusal as `?reason=`. Unchanged where the person knows the reason or there is none to tell:
 * signed out here, signed in anew here, or a cookie that never was one of ours.
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
  if (code === "refresh_token_expired" || code === "proof_missing") return code;
  if (endedAs === "admin") return "ended_by_operator";
  return endedAs === "ended" ? "session_revoked" : null;
}

/** `next` as a path of this site; `/` for everything that leads elsewhere, is not a path, or leads back to the bounce. */
export function safeNextPath(next: string | null, bouncePath: string): string {
  const path = sitePath(next) ?? "/";
  return withoutSlash(/^[^?#]*/.exec(path)?.[0] ?? "") === bouncePath ? "/" : path;
}
