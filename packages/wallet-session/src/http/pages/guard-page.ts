import type { AuthenticatedSession } from "../../engine/session-engine.ts";
import type { HttpContext } from "../context.ts";
import { isGuardRefusal } from "../problem.ts";
import type { SessionCookies } from "../request/cookies.ts";
import { authenticateRequest, isOurPage, type OurPages } from "../request/credentials.ts";
import { redirect } from "../response.ts";

export interface GuardPageOptions extends SignInPath {
  readonly fresh?: boolean;
}

/** The session of a page load, its data or a form, or the redirect that finds out. A prefetch is refused as on any other route. */
export async function guardPage(
  context: Pick<HttpContext, "engine" | "cookies" | "paths"> & OurPages,
  request: Request,
  options: GuardPageOptions,
): Promise<AuthenticatedSession | Response> {
  try {
    return (await authenticateRequest(context, request, options)).session;
  } catch (error) {
    const comesAgain =
      isPageLoad(request) || isDataRequest(request) || (isForm(request) && mayComeAgain(request, context));
    if (!comesAgain || !isGuardRefusal(error)) throw error;
    const url = bounceUrl(context.paths.refresh, pageOf(request), options);
    const away = bounceTo(request, context.cookies, url);
    // React Router would look for a route of that path otherwise, instead of leaving the page.
    away.headers.set("X-Remix-Reload-Document", "true");
    return away;
  }
}

/** Where a person is led back to. Loaders of React Router get the address of the data, `/account.data?_routes=…`, as it came. */
function pageOf(request: Request): string {
  const { pathname, search, searchParams } = new URL(request.url);
  if (!isDataRequest(request) || !pathname.endsWith(".data")) return pathname + search;
  searchParams.delete("_routes");
  const query = searchParams.size > 0 ? `?${searchParams}` : "";
  return pathname.replace(/(?:(?<=\/)_(?:root)?)?\.data$/, "") + query;
}

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
 * `bouncePath`: of the refresh endpoint. `path`: the page's own, with its query. One that is too long to be named twice in a
 * URL is dropped.
 */
export function bounceUrl(bouncePath: string, path: string, { signInPath }: SignInPath): string {
  const next = path.length > PAGE_PATH_MAX_CHARS ? "/" : path;
  return bounceUrlTo(bouncePath, next, `${signInPath}?${new URLSearchParams({ next })}`);
}

/** The bounce with both of its ways out. */
export function bounceUrlTo(bouncePath: string, next: string, otherwise: string): string {
  return `${bouncePath}?${new URLSearchParams({ next, else: otherwise })}`;
}

/**
 * Sends a page load to a {@link bounceUrl}, or a form, which comes back with its body. The retry key is set before the first
 * send, and only where the jar holds none, so that a load that loses the answer retries with the same key. Without an
 * origin: behind a proxy the request's own is not the one that browsers see.
 */
export function bounceTo(request: Request, cookies: SessionCookies, url: string): Response {
  const holdsNone = cookies.read(request).retryKey === null;
  return redirect(request, url, holdsNone ? [cookies.newRetryKey()] : []);
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

/**
 * The data of a page, for which the router in another page asks in its stead. A program has a token to bring, and no use for a
 * redirect.
 */
function isDataRequest(request: Request): boolean {
  const { method, headers } = request;
  if (method !== "GET" || isSpeculative(request) || isRouterFetch(request)) return false;
  return (headers.get("sec-fetch-dest") ?? "empty") === "empty" && !headers.has("authorization");
}

/** A form that a person has sent, whose answer is the next page. */
export function isForm({ method, headers }: Request): boolean {
  const destination = headers.get("sec-fetch-dest");
  return method === "POST" && (destination === null ? asksForHtml({ headers }) : destination === "document");
}

/** A server action of Next, called by its own script. */
export function isServerAction({ method, headers }: Request): boolean {
  return method === "POST" && headers.has("next-action");
}

/**
 * Whether a POST can be sent through the bounce and come back as it is: a page of ours has sent it, and its path, which
 * the way back names, is not too long.
 */
export function mayComeAgain(request: Request, pages: OurPages): boolean {
  const { pathname, search } = new URL(request.url);
  return isOurPage(request, pages) && pathname.length + search.length <= PAGE_PATH_MAX_CHARS;
}

/** Whether the request asks for a page in so many words, as navigations do. */
export function asksForHtml({ headers }: Pick<Request, "headers">): boolean {
  return /(?:^|,)\s*text\/html\s*(?:[;,]|$)/i.test(headers.get("accept") ?? "");
}
