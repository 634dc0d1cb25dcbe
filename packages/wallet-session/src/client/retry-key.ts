import type { ClientEnvironment } from "./environment.ts";

/**
 * Sets a retry key in the jar if it holds none, as the cookie `name`.
 *
 * The key belongs to the jar and its token, never to a tab. It is set before the first send, survives timeouts and faults,
 * and is deleted by the answer that sets a new refresh cookie. It is sent only as a cookie, so the browser always sends it
 * with the token that it was made for.
 */
export function ensureRetryKey(
  environment: Pick<ClientEnvironment, "cookies" | "newRetryKey">,
  name: string,
): void {
  if (`; ${environment.cookies.read()}`.includes(`; ${name}=`)) return;
  // 400 days, the longest that browsers keep a cookie: the key must outlive a closed browser as the refresh cookie does.
  environment.cookies.write(
    `${name}=${environment.newRetryKey()}; Path=/; Secure; SameSite=Lax; Max-Age=34560000`,
  );
}
