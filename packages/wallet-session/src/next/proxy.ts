import { type Clock, systemClock } from "../clock.ts";
import { cookieNameOf } from "../config/address.ts";
import { cookieNames } from "../cookie-names.ts";
import { bounceRedirect, isPageLoad, type SignInPath } from "../http/pages/guard-page.ts";
import { createSessionCookies, type SessionCookies } from "../http/request/cookies.ts";

/** What a `proxy.ts` exports as `proxy`: an answer of its own, or nothing, and the request goes on. */
export type SessionProxy = (request: Request) => Response | undefined;

/**
 * For `proxy.ts`: a page load without a living access cookie goes to the bounce, which renews the session and comes back,
 * so that server components find a good one. Its `config.matcher` names the guarded pages.
 *
 * Guards NOTHING: it looks at the token's end and trusts none of it, and a proxy can be walked around
 * (CVE-2025-29927). Each page, action and route checks for itself: `sessionGuard`, `handlers.guard`.
 *
 * `env`: where `COOKIE_NAME` and `PUBLIC_URL` are read, at the first request; by default `process.env`, as `sharedSessions`
 * has it.
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
export function sessionProxy(
  options: SignInPath & {
    readonly env?: Readonly<Record<string, string | undefined>>;
    readonly clock?: Clock;
  },
): SessionProxy {
  const { clock = systemClock } = options;
  let cookies: SessionCookies | undefined;
  return (request) => {
    if (!isPageLoad(request)) return undefined;
    cookies ??= createSessionCookies(cookieNames(cookieNameOf(options.env ?? process.env)));
    if (cookies.read(request).accessTokens.some((token) => endOf(token) > clock.now())) return undefined;
    const response = bounceRedirect(request, cookies, options);
    const location = response.headers.get("Location") ?? "/";
    // Next refuses a redirect without an origin, and takes its own away again before it answers.
    response.headers.set("Location", new URL(location, request.url).href);
    return response;
  };
}

/** `exp` of an access token in milliseconds, as its bearer says and nobody has verified; 0 where there is none. */
function endOf(accessToken: string): number {
  try {
    const [, claims = ""] = accessToken.split(".");
    const { exp } = JSON.parse(Buffer.from(claims, "base64url").toString());
    return typeof exp === "number" ? exp * 1_000 : 0;
  } catch {
    return 0;
  }
}
