import type { ClientEnvironment } from "./environment.ts";

/** The retry key in the jar, the cookie `name`; undefined without one. */
export function retryKey({ cookies }: Pick<ClientEnvironment, "cookies">, name: string): string | undefined {
  return `; ${cookies.read()}`.split(`; ${name}=`)[1]?.split(";")[0];
}

/**
 * The retry key of the jar, the cookie `name`; sets one if it holds none.
 *
 * The key belongs to the jar and its token, never to a tab. It is set before the first send, survives timeouts and faults,
 * and is deleted by the answer that sets a new refresh cookie. It is sent only as a cookie, so the browser always sends it
 * with the token that it was made for; but to a server of another origin, which does not see this page's cookies.
 */
export function ensureRetryKey(
  environment: Pick<ClientEnvironment, "cookies" | "newRetryKey">,
  name: string,
): string {
  const found = retryKey(environment, name);
  if (found !== undefined) return found;
  const key = environment.newRetryKey();
  // 400 days, the longest that browsers keep a cookie: the key must outlive a closed browser as the refresh cookie does.
  environment.cookies.write(`${name}=${key}; Path=/; Secure; SameSite=Lax; Max-Age=34560000`);
  return key;
}
