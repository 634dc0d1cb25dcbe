/** Why a browser with a key sends a request without a proof of it, where it says so. */
export const SKIPPED = ["unreachable", "server_error", "quota_exceeded"] as const;

/** By `Secure-Session-Skipped`; null where the browser does not send it. Anybody can write one: it opens nothing. */
export function skippedReason({ headers }: Request): string | null {
  const said = headers.get("secure-session-skipped");
  return said === null ? null : (SKIPPED.find((reason) => said.startsWith(reason)) ?? "other");
}
