import { SessionError } from "../errors.ts";
import type { EventSink } from "../events.ts";
import { STORE_RETRY_AFTER_SECONDS } from "../limits.ts";
import type { SessionStore } from "../store.ts";

/**
 * The store as the engine sees it: whatever goes wrong in a step is `store_unavailable`, a fault whose outcome is
 * unknown, so that no failure is ever taken for a refusal.
 */
export function guardStore(store: SessionStore, onEvent: EventSink): SessionStore {
  function guard<A extends unknown[], R>(step: string, run: (...args: A) => Promise<R>) {
    return async (...args: A): Promise<R> => {
      try {
        return await run.apply(store, args);
      } catch (cause) {
        onEvent({ type: "store_fault", step, cause });
        throw new SessionError("store_unavailable", "The session store did not answer. Try again.", {
          cause,
          retryAfterSeconds: STORE_RETRY_AFTER_SECONDS,
        });
      }
    };
  }
  return {
    createSession: guard("createSession", store.createSession),
    rotate: guard("rotate", store.rotate),
    findSession: guard("findSession", store.findSession),
    listSessions: guard("listSessions", store.listSessions),
    revokeSession: guard("revokeSession", store.revokeSession),
    revokeActor: guard("revokeActor", store.revokeActor),
    revocationsAfter: guard("revocationsAfter", store.revocationsAfter),
    signingKeys: guard("signingKeys", store.signingKeys),
    addSigningKey: guard("addSigningKey", store.addSigningKey),
    prune: guard("prune", store.prune),
    ping: guard("ping", store.ping),
    close: () => store.close(),
  };
}
