import { authPaths } from "../auth-paths.ts";
import { type Clock, systemClock } from "../clock.ts";
import { addressOf } from "../config/address.ts";
import { cookieNames } from "../cookie-names.ts";
import {
  bounceTo,
  bounceUrl,
  bounceUrlTo,
  isForm,
  isPageLoad,
  isServerAction,
  mayComeAgain,
  type SignInPath,
} from "../http/pages/guard-page.ts";
import { createSessionCookies } from "../http/request/cookies.ts";
import { asBrowsersSee } from "./base-path.ts";

/** What a `proxy.ts` exports as `proxy`: an answer of its own, or nothing, and the request goes on. */
export type SessionProxy = (request: Request) => Response | undefined;

/** In the query of a server action that comes back without a session: it runs, and its guard finds nobody. */
const NOT_RENEWED = "ws-not-renewed";
/** What a form's token must have left, so that it does not end on the way to the action, and the part of a short life. */
const FORM_LEFT_MS = 5_000;
const FORM_LEFT_PART = 1 / 4;

/**
 * For `proxy.ts`: a page load without a living access cookie goes to the bounce, which renews the session and comes back,
 * so that server components find a good one. So does a form or a server action that a page of the site sends, with all that
 * is in it. Its `config.matcher` names the guarded pages.
 *
 * Guards NOTHING: it looks at the token's end and trusts none of it, and a proxy can be walked around
 * (CVE-2025-29927). Each page, action and route checks for itself: `sessionGuard`, `handlers.guard`.
 *
 * `env`: where `COOKIE_NAME`, `AUTH_BASE_PATH` and `PUBLIC_URL` are read, at the first request; by default `process.env`, as
 * `sharedSessions` has it.
 *
 * Leaves alone what no person has opened (prefetches, HEAD), and what else scripts ask for.
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
  let service: ReturnType<typeof serviceOf> | undefined;
  return (request) => {
    const isAction = isServerAction(request);
    const posts = isAction || isForm(request);
    if (!posts && !isPageLoad(request)) return undefined;
    service ??= serviceOf(options.env ?? process.env);
    const { cookies, paths } = service;
    if (posts && !mayComeAgain(request, service)) return undefined;
    const now = clock.now();
    if (cookies.read(request).accessTokens.some((token) => endOf(token, posts) > now)) return undefined;

    const { protocol, hostname, origin, pathname, search, searchParams } = new URL(request.url);
    if (isAction && searchParams.has(NOT_RENEWED)) return undefined;
    const path = pathname + search;
    const url = isAction
      ? bounceUrlTo(paths.refresh, path, `${path}${search === "" ? "?" : "&"}${NOT_RENEWED}=`)
      : bounceUrl(paths.refresh, path, { signInPath: asBrowsersSee(options.signInPath) });
    const response = bounceTo(request, cookies, url);
    // Next refuses a redirect without an origin, and takes its own away again before it answers. Next 15 does not know its
    // own on 127.0.0.1, which it calls localhost here: a scheme alone is that of any origin to it, as it is to browsers.
    response.headers.set("Location", (hostname === "localhost" ? protocol : origin) + url);
    return response;
  };
}

function serviceOf(env: Readonly<Record<string, string | undefined>>) {
  const { cookieName, authBasePath, publicUrl, trustedOrigins } = addressOf(env);
  return {
    publicUrl,
    trustedOrigins,
    cookies: createSessionCookies(cookieNames(cookieName), authBasePath),
    paths: authPaths(authBasePath),
  };
}

/**
 * When an access token ends, in milliseconds, as its bearer says and nobody has verified, or a little earlier; 0 where there
 * is none.
 */
function endOf(accessToken: string, early: boolean): number {
  try {
    const [, claims = ""] = accessToken.split(".");
    const { iat, exp } = JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/")));
    if (typeof exp !== "number") return 0;
    const margin = early ? Math.min(FORM_LEFT_MS, (exp - iat) * 1_000 * FORM_LEFT_PART) : 0;
    return exp * 1_000 - (margin || 0);
  } catch {
    return 0;
  }
}
