import { type EndReason, moreTelling, type TerminalCode, terminalCode } from "./end-reason.ts";
import { createListeners } from "./listeners.ts";

/** A new object after each answer of the server, the same one in between. */
export type SessionState =
  | { readonly status: "unknown" }
  | { readonly status: "signed-in"; readonly sessionId: string }
  | { readonly status: "signed-out"; readonly reason: EndReason };

/**
 * What this tab knows of the session: its state by the server's last word, and, of all reasons heard for its end, the one that
 * says most.
 */
export function createKnownSession() {
  const listeners = createListeners<[SessionState]>();
  let state: SessionState = { status: "unknown" };
  let epoch = 0;
  let lastId: string | undefined;
  /** The end of a session, as a live feed reported it. */
  let told: { readonly sessionId: string; readonly code: TerminalCode } | undefined;

  const id = () => sessionIdOf(state);

  function become(next: SessionState): void {
    state = next;
    listeners.tell(next);
  }

  return {
    state: () => state,
    id,
    subscribe: listeners.add,

    /** Rises whenever a session begins or ends. Answers to questions of an earlier epoch no longer count. */
    epoch: () => epoch,

    /** Whether a feed has reported its end, and no answer of the server has come since. */
    isInDoubt: () => told !== undefined,

    becomeSignedIn(sessionId: string): void {
      if (sessionId !== id()) epoch += 1;
      lastId = sessionId;
      become({ status: "signed-in", sessionId });
    },

    becomeSignedOut(reason: EndReason): void {
      epoch += 1;
      told = undefined;
      // An end empties the jar. A request that was under way finds it empty, which explains nothing.
      if (state.status === "signed-out" && reason === "refresh_token_missing") return;
      become({ status: "signed-out", reason });
    },

    /** A live feed reports that this session has ended. A code that ends nothing takes an earlier report back. */
    hearOfEnd(sessionId: string, reported: string): void {
      const code = terminalCode(reported);
      told = code && { sessionId, code };
    },

    /** The server has just given tokens, so nothing has ended, whatever a feed reported. */
    settleDoubt(): void {
      told = undefined;
    },

    /** Of the server's reason and the feed's, the one that says more. */
    reasonFor: (reason: EndReason) => moreTelling(reason, told?.sessionId === id() ? told?.code : undefined),

    /** Another tab's reason for the same end. This tab may have found an empty jar only. */
    learnReason(sessionId: string, reason: EndReason): void {
      if (state.status !== "signed-out" || sessionId !== lastId) return;
      const better = moreTelling(state.reason, reason);
      if (better !== state.reason) become({ status: "signed-out", reason: better });
    },
  };
}

export function sessionIdOf(state: SessionState): string | undefined {
  return state.status === "signed-in" ? state.sessionId : undefined;
}
