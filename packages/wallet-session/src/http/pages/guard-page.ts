import type { AuthenticatedSession } from "../../engine/session-engine.ts";
import type { HttpContext } from "../context.ts";
import { isGuardRefusal } from "../problem.ts";
import type { SessionCookies } from "../request/cookies.ts";
import { authenticateRequest } from "../request/credentials.ts";
import { seeOther } from "../response.ts";

export interface GuardPageOptions extends SignInPath {
  readonly fresh?: boolean;
}

/** The session of a page load, or the redirect that finds out. A prefetch is refused as on any other route. */
export async function guardPage(
  context: Pick<HttpContext, "engine" | "publicUrl" | "cookies">,
  request: Request,
  options: GuardPageOptions,
): Promise<AuthenticatedSession | Response> {
  try {
    return (await authenticateRequest(context, request, options)).session;
  } catch (error) {
    if (isPageLoad(request) && isGuardRefusal(error))
      return bounceRedirect(request, context.cookies, options);
    throw error;
  }
}

export const BOUNCE_PATH = "/api/auth/refresh";

/** A longer path of a page is not named in the way back to it: it stands there twice, escaped, in one header line. */
export const PAGE_PATH_MAX_CHARS = 1_024;

export interface SignInPath {
  /** The page that signs people in, such as `/sign-in`. It gets `?next=` and must not be guarded itself. */
  readonly signInPath: string;
}

/**
 * The way of a page load without a good access token: through the bounce and back, or to the sign-in page where there
 * is no session any more. So a guarded page and the bounce never redirect in a loop.
 *
 * `path`: the page's own, with its query. One that is too long to be named twice in a URL is dropped.
 */
export function bounceUrl(path: string, { signInPath }: SignInPath): string {
  const next = path.length > PAGE_PATH_MAX_CHARS ? "/" : path;
  const signIn = `${signInPath}?${new URLSearchParams({ next })}`;
  return `${BOUNCE_PATH}?${new URLSearchParams({ next, else: signIn })}`;
}

/**
 * Sends a page load there. The retry key is set before the first send, and only where the jar holds none, so that a load
 * that loses the answer retries with the same key. Without an origin: behind a proxy the request's own is not the one
 * that browsers see.
 */
export function bounceRedirect(request: Request, cookies: SessionCookies, options: SignInPath): Response {
  const { pathname, search } = new URL(request.url);
  const holdsNone = cookies.read(request).retryKey === null;
  return seeOther(bounceUrl(pathname + search, options), holdsNone ? [cookies.newRetryKey()] : []);
}

/** Next's names for a prefetch by a script, which the browser itself does not know to be one. */
const NEXT_PREFETCH = ["next-router-prefetch", "next-router-segment-prefetch"];

/**
 * A request for a page that no person has opened yet: HEAD, a prefetch or a prerender, by the browser or by a router. Its
 * answer may be thrown away, cookies and all.
 */
export function isSpeculative({ method, headers }: Request): boolean {
  if (method === "HEAD") return true;
  const purpose = headers.get("sec-purpose") ?? headers.get("purpose") ?? headers.get("x-moz") ?? "";
  return purpose.toLowerCase().includes("prefetch") || NEXT_PREFETCH.some((name) => headers.has(name));
}

/**
 * Next's router asking for the data of a page, by a script or on the server. No person has opened that yet, and whether
 * the cookies of the answer reach the browser is the router's affair.
 */
export function isRouterFetch({ headers }: Request): boolean {
  return headers.has("rsc");
}

/**
 * A person's navigation. The browser says of a script's fetch that it is no document, also where a router's own headers are
 * hidden, as Next hides them from a proxy; a browser that says nothing at least asks for HTML.
 */
export function isPageLoad(request: Request): boolean {
  if (request.method !== "GET" || isSpeculative(request) || isRouterFetch(request)) return false;
  const destination = request.headers.get("sec-fetch-dest");
  return destination === null ? asksForHtml(request) : destination === "document";
}

/** Whether the request asks for a page in so many words, as navigations do. */
export function asksForHtml({ headers }: Request): boolean {
  return /(?:^|,)\s*text\/html\s*(?:[;,]|$)/i.test(headers.get("accept") ?? "");
}
