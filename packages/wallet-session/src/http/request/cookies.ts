import type { CookieNames } from "../../cookie-names.ts";
import type { IssuedTokens, JarCookies } from "../../engine/session-engine.ts";
import { BOUND_COOKIE_EARLY_MS } from "../../limits.ts";
import { sessionIdOf } from "../../session-id.ts";

/** The longest that browsers keep a cookie. The key must outlive a closed browser as long as the refresh cookie does. */
const RETRY_COOKIE_MAX_AGE_SECONDS = 400 * 24 * 60 * 60;

/** Of those that scripts make none looks like this. */
const OWN_RETRY_KEY = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

/** The cookies of one request that have our names. Empty ones and repetitions are left out. */
export interface RequestCookies extends JarCookies {
  /** As it came; null where there are two, which `__Host-` rules out in browsers. */
  readonly retryKey: string | null;
}

export type SessionCookies = ReturnType<typeof createSessionCookies>;

/** Reads and writes the cookies of a service under their names. `basePath`: of the auth endpoints. */
export function createSessionCookies(names: CookieNames, basePath: string) {
  const accessAttributes = "Path=/; HttpOnly; Secure; SameSite=Lax";
  const line = (name: string, attributes: string) => (value: string, maxAgeSeconds: number) =>
    `${name}=${value}; Max-Age=${maxAgeSeconds}; ${attributes}`;
  const access = line(names.access, accessAttributes);
  const refresh = line(names.refresh, `Path=${basePath}; HttpOnly; Secure; SameSite=Lax`);
  const session = line(names.session, accessAttributes);
  const retry = line(names.retry, "Path=/; Secure; SameSite=Lax");
  const cleared: Readonly<Record<keyof CookieNames, string>> = {
    access: access("", 0),
    refresh: refresh("", 0),
    session: session("", 0),
    retry: retry("", 0),
  };

  return {
    names,

    /** As browsers that hold a device key must know them. */
    accessAttributes,

    /** Set-Cookie lines of one token. */
    access,
    refresh,

    read(request: Request): RequestCookies {
      const cookies = parseCookies(request.headers.get("cookie"));
      const valuesOf = (name: string) => [...new Set(cookies.get(name))].filter((value) => value !== "");
      return {
        accessTokens: valuesOf(names.access),
        refreshTokens: valuesOf(names.refresh),
        sessionId: sessionIdOf(sole(valuesOf(names.session)) ?? ""),
        retryKey: sole(cookies.get(names.retry) ?? []) || null,
      };
    },

    /** Set-Cookie lines for new tokens. No cookie outlives the session; the retry key has done its work. */
    issued(tokens: IssuedTokens): string[] {
      const { accessToken, expiresInSeconds, refreshToken, refreshExpiresInSeconds, session: row } = tokens;
      const seconds = Math.min(expiresInSeconds, refreshExpiresInSeconds);
      return [
        access(accessToken, row.binding === null ? seconds : seconds - early(seconds)),
        refresh(refreshToken, refreshExpiresInSeconds),
        session(row.id, refreshExpiresInSeconds),
        cleared.retry,
      ];
    },

    /**
     * Whether the jar shows that it keeps what this service sets: a cookie that no script can write, or a retry key of the
     * service's own making.
     */
    showsThatItKeeps({ accessTokens, refreshTokens, sessionId, retryKey }: RequestCookies): boolean {
      const set = [...accessTokens, ...refreshTokens, ...(sessionId === null ? [] : [sessionId])];
      return set.length > 0 || (retryKey !== null && OWN_RETRY_KEY.test(retryKey));
    },

    /** Set-Cookie line of a retry key for a jar that holds none: unguessable, and kept as long as browsers keep anything. */
    newRetryKey: () => retry(crypto.randomUUID(), RETRY_COOKIE_MAX_AGE_SECONDS),

    /** Set-Cookie lines that remove these. */
    cleared: (which: readonly (keyof CookieNames)[]) => which.map((name) => cleared[name]),
  };
}

/** Seconds by which a bound session's cookie ends before its token: its browser renews what is missing, not what has ended. */
function early(seconds: number): number {
  return Math.floor(Math.min(BOUND_COOKIE_EARLY_MS / 1_000, seconds / 4));
}

function sole(values: readonly string[]): string | undefined {
  return values.length === 1 ? values[0] : undefined;
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
