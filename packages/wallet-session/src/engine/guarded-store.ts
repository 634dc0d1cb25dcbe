import { SessionError } from "../errors.ts";
import type { EventSink } from "../events.ts";
import { STORE_RETRY_AFTER_SECONDS } from "../limits.ts";
import type { SessionStore } from "../store.ts";

/** Told that a step begins; the function returned, how it ended: `fault`, or the store's own word for it, or `ok`. */
export type StoreStepTrace = (step: string) => (outcome: string) => void;

const untraced: StoreStepTrace = () => () => {};

/**
 * The store as the engine sees it: whatever goes wrong in a step is `store_unavailable`, a fault whose outcome is
 * unknown, so that no failure is ever taken for a refusal.
 */
export function guardStore(
  store: SessionStore,
  onEvent: EventSink,
  traceStep: StoreStepTrace = untraced,
): SessionStore {
  function guard<A extends unknown[], R>(step: string, run: (...args: A) => Promise<R>) {
    return async (...args: A): Promise<R> => {
      const ended = traceStep(step);
      try {
        const result = await run.apply(store, args);
        ended(outcomeOf(result));
        return result;
      } catch (cause) {
        ended("fault");
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
    consumeChallenge: guard("consumeChallenge", store.consumeChallenge),
    rotate: guard("rotate", store.rotate),
    findSession: guard("findSession", store.findSession),
    listSessions: guard("listSessions", store.listSessions),
    endedByReuse: guard("endedByReuse", store.endedByReuse),
    revokeSession: guard("revokeSession", store.revokeSession),
    revokeActor: guard("revokeActor", store.revokeActor),
    revokeBatch: guard("revokeBatch", store.revokeBatch),
    noteProofFailure: guard("noteProofFailure", store.noteProofFailure),
    proofFailures: guard("proofFailures", store.proofFailures),
    revocationsAfter: guard("revocationsAfter", store.revocationsAfter),
    watchRevocations: (wake) => store.watchRevocations(wake),
    countSessions: guard("countSessions", store.countSessions),
    claimEvents: guard("claimEvents", store.claimEvents),
    settleEvents: guard("settleEvents", store.settleEvents),
    signingKeys: guard("signingKeys", store.signingKeys),
    addSigningKey: guard("addSigningKey", store.addSigningKey),
    prune: guard("prune", store.prune),
    ping: guard("ping", store.ping),
    close: () => store.close(),
  };
}

function outcomeOf(result: unknown): string {
  const named = typeof result === "object" && result !== null && "outcome" in result ? result.outcome : null;
  return typeof named === "string" ? named : "ok";
}
