import { SessionError } from "../errors.ts";
import { describeFault } from "../logging/event-log.ts";
import { UnfitStore } from "../stores/unfit-store.ts";

/**
 * What to say of a start that failed because a store does not answer. That is no reason to end: a supervisor would start the
 * process again and again through an outage. Requests are answered 503, and the start is tried again.
 *
 * Null where waiting cures nothing: settings that cannot be used, and a store that must not be worked with as it is.
 *
 * @example
 * ```ts
 * import { createSessions, outageAtStart } from "wallet-session/server";
 *
 * await createSessions().start().catch((error) => {
 *   const outage = outageAtStart(error);
 *   if (outage === null) throw error;
 *   console.error(outage);
 * });
 * ```
 */
export function outageAtStart(error: unknown): string | null {
  if (!(error instanceof SessionError) || error.cause instanceof UnfitStore) return null;
  return `The store fails, and until it does not, requests are answered 503: ${describeFault(error.cause)}`;
}
