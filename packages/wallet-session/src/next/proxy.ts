import { type Clock, systemClock } from "../clock.ts";
import { bounceRedirect, isPageLoad, type SignInPath } from "../http/pages/guard-page.ts";
import { readJar } from "../http/request/cookies.ts";

/** What a `proxy.ts` exports as `proxy`: an answer of its own, or nothing, and the request goes on. */
export type SessionProxy = (request: Request) => Response | undefined;

/**
 * For `proxy.ts`: a page load without a living access cookie goes to the bounce, which renews the session and comes back,
 * so that server components find a good one. Its `config.matcher` names the guarded pages.
 *
 * Guards NOTHING: it looks at the token's end and trusts none of it, and a proxy can be walked around
 * (CVE-2025-29927). Each page, action and route checks for itself: `sessionGuard`, `handlers.guard`.
 *
 * Leaves alone what no person has opened (prefetches, HEAD), what scripts ask for, and every other method than GET.
 *
 * @example
 * ```ts
 * // proxy.ts
 * import { sessionProxy } from "wallet-session/next";
 *
 * export const proxy = sessionProxy({ signInPath: "/sign-in" });
 * export const config = { matcher: "/account/:path*" };
 * ```
 */
export function sessionProxy(options: SignInPath & { readonly clock?: Clock }): SessionProxy {
  const { clock = systemClock } = options;
  return (request) => {
    if (!isPageLoad(request) || endOfAccess(request) > clock.now()) return undefined;
    const response = bounceRedirect(request, options);
    const location = response.headers.get("Location") ?? "/";
    // Next refuses a redirect without an origin, and takes its own away again before it answers.
    response.headers.set("Location", new URL(location, request.url).href);
    return response;
  };
}

/** `exp` of the access cookie in milliseconds, as its bearer says and nobody has verified; 0 where there is none. */
function endOfAccess(request: Request): number {
  try {
    const [, claims = ""] = (readJar(request).accessToken ?? "").split(".");
    const { exp } = JSON.parse(Buffer.from(claims, "base64url").toString());
    return typeof exp === "number" ? exp * 1_000 : 0;
  } catch {
    // No token, or a jar with a doubled cookie, which is the bounce's to refuse.
    return 0;
  }
}
