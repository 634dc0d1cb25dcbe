import type { ClientEnvironment } from "./environment.ts";

const NAME = "__Host-ws_retry";
/** The longest that browsers keep a cookie. The key must outlive a closed browser as long as the refresh cookie does. */
const MAX_AGE_SECONDS = 400 * 24 * 60 * 60;

/**
 * Sets a retry key in the jar if it holds none.
 *
 * The key belongs to the jar and its token, never to a tab. It is set before the first send, survives timeouts and faults,
 * and is deleted by the answer that sets a new refresh cookie. It is sent only as a cookie, so the browser always sends it
 * with the token that it was made for.
 */
export function ensureRetryKey(environment: Pick<ClientEnvironment, "cookies" | "newRetryKey">): void {
  const present = environment.cookies
    .read()
    .split(";")
    .some((cookie) => cookie.trim().startsWith(`${NAME}=`));
  if (present) return;
  environment.cookies.write(
    `${NAME}=${environment.newRetryKey()}; Path=/; Secure; SameSite=Lax; Max-Age=${MAX_AGE_SECONDS}`,
  );
}
