import type { IssuedTokens } from "../../engine/session-engine.ts";
import { SessionError } from "../../errors.ts";

/** The longest that browsers keep a cookie. The key must outlive a closed browser as long as the refresh cookie does. */
const RETRY_COOKIE_MAX_AGE_SECONDS = 400 * 24 * 60 * 60;

/** The prefixes are promises that browsers enforce: over TLS only, and `__Host-` for this host and all of its paths. */
export const ACCESS_COOKIE = "__Host-ws_access";
/** Sent to the auth endpoints alone, so pages and the app's own routes never see it. */
export const REFRESH_COOKIE = "__Secure-ws_refresh";
/** The retry key of the jar. A script or a redirect sets it when it is absent; the answer with new tokens deletes it. */
export const RETRY_COOKIE = "__Host-ws_retry";

/** The cookies of one request that are ours. An empty cookie counts as none. */
export interface CookieJar {
  readonly accessToken: string | null;
  readonly refreshToken: string | null;
  /** As it came: doubled ones, which `__Host-` rules out in browsers, count as none. */
  readonly retryKey: string | null;
}

/**
 * A name that comes twice is refused: a neighbour domain may have planted one of them, and the server cannot tell which.
 * @throws invalid_request
 */
export function readJar(request: Request): CookieJar {
  const cookies = parseCookies(request.headers.get("cookie"));
  return {
    accessToken: soleValue(cookies, ACCESS_COOKIE),
    refreshToken: soleValue(cookies, REFRESH_COOKIE),
    retryKey: cookies.get(RETRY_COOKIE)?.length === 1 ? soleValue(cookies, RETRY_COOKIE) : null,
  };
}

/** Set-Cookie lines for new tokens. No cookie outlives the session; the retry key has done its work. */
export function sessionCookies(tokens: IssuedTokens): string[] {
  const { accessToken, expiresInSeconds, refreshToken, refreshExpiresInSeconds } = tokens;
  return [
    accessCookie(accessToken, Math.min(expiresInSeconds, refreshExpiresInSeconds)),
    refreshCookie(refreshToken, refreshExpiresInSeconds),
    retryCookie("", 0),
  ];
}

/** Set-Cookie line of a retry key for a jar that holds none: unguessable, and kept as long as browsers keep anything. */
export function newRetryCookie(): string {
  return retryCookie(crypto.randomUUID(), RETRY_COOKIE_MAX_AGE_SECONDS);
}

/** Set-Cookie lines that empty the jar. */
export function clearedCookies(): string[] {
  return [accessCookie("", 0), refreshCookie("", 0), retryCookie("", 0)];
}

function accessCookie(value: string, maxAgeSeconds: number): string {
  return `${ACCESS_COOKIE}=${value}; Max-Age=${maxAgeSeconds}; Path=/; HttpOnly; Secure; SameSite=Lax`;
}

function refreshCookie(value: string, maxAgeSeconds: number): string {
  return `${REFRESH_COOKIE}=${value}; Max-Age=${maxAgeSeconds}; Path=/api/auth; HttpOnly; Secure; SameSite=Lax`;
}

function retryCookie(value: string, maxAgeSeconds: number): string {
  return `${RETRY_COOKIE}=${value}; Max-Age=${maxAgeSeconds}; Path=/; Secure; SameSite=Lax`;
}

function parseCookies(header: string | null): Map<string, string[]> {
  const cookies = new Map<string, string[]>();
  for (const pair of (header ?? "").split(";")) {
    const at = pair.indexOf("=");
    if (at === -1) continue;
    const name = trimmed(pair.slice(0, at));
    const value = trimmed(pair.slice(at + 1));
    const values = cookies.get(name);
    if (values === undefined) cookies.set(name, [value]);
    else values.push(value);
  }
  return cookies;
}

/**
 * Without the white space of RFC 6265 alone. `trim` also drops U+00A0, with which a neighbour domain could set a cookie
 * that to the browser has none of the guarded names, and to us would have one.
 */
export function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text[start])) start++;
  while (end > start && isBlank(text[end - 1])) end--;
  return text.slice(start, end);
}

function isBlank(character: string | undefined): boolean {
  return character === " " || character === "\t";
}

function soleValue(cookies: Map<string, string[]>, name: string): string | null {
  const [value, ...others] = cookies.get(name) ?? [];
  if (others.length > 0) throw new SessionError("invalid_request", `The cookie ${name} comes twice.`);
  return value || null;
}
