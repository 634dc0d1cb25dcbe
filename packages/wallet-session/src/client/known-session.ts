import { type EndReason, moreTelling, type TerminalCode, terminalCode } from "./end-reason.ts";
import { Listeners } from "./listeners.ts";

/** A new object after each answer of the server, the same one in between. */
export type SessionState =
  | { readonly status: "unknown" }
  | { readonly status: "signed-in"; readonly sessionId: string }
  | { readonly status: "signed-out"; readonly reason: EndReason };

/**
 * What this tab knows of the session: its state by the server's last word, and, of all reasons heard for its end, the one that
 * says most.
 */
export class KnownSession {
  readonly #listeners = new Listeners<[SessionState]>();
  #state: SessionState = { status: "unknown" };
  #epoch = 0;
  #lastId: string | undefined;
  /** The end of a session, as a live feed reported it. */
  #told: { readonly sessionId: string; readonly code: TerminalCode } | undefined;

  get state(): SessionState {
    return this.#state;
  }

  get id(): string | undefined {
    return sessionIdOf(this.#state);
  }

  /** Rises whenever a session begins or ends. Answers to questions of an earlier epoch no longer count. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Whether a feed has reported its end, and no answer of the server has come since. */
  get isInDoubt(): boolean {
    return this.#told !== undefined;
  }

  subscribe(listener: (state: SessionState) => void): () => void {
    return this.#listeners.add(listener);
  }

  becomeSignedIn(sessionId: string): void {
    if (sessionId !== this.id) this.#epoch += 1;
    this.#lastId = sessionId;
    this.#become({ status: "signed-in", sessionId });
  }

  becomeSignedOut(reason: EndReason): void {
    this.#epoch += 1;
    this.#told = undefined;
    // An end empties the jar. A request that was under way finds it empty, which explains nothing.
    if (this.#state.status === "signed-out" && reason === "refresh_token_missing") return;
    this.#become({ status: "signed-out", reason });
  }

  /** A live feed reports that this session has ended. A code that ends nothing takes an earlier report back. */
  hearOfEnd(code: string): void {
    const { id } = this;
    const terminal = terminalCode(code);
    this.#told = id === undefined || terminal === undefined ? undefined : { sessionId: id, code: terminal };
  }

  /** The server has just given tokens, so nothing has ended, whatever a feed reported. */
  settleDoubt(): void {
    this.#told = undefined;
  }

  /** Of the server's reason and the feed's, the one that says more. */
  reasonFor(reason: EndReason): EndReason {
    return moreTelling(reason, this.#told?.sessionId === this.id ? this.#told?.code : undefined);
  }

  /** Another tab's reason for the same end. This tab may have found an empty jar only. */
  learnReason(sessionId: string, reason: EndReason): void {
    if (this.#state.status !== "signed-out" || sessionId !== this.#lastId) return;
    const better = moreTelling(this.#state.reason, reason);
    if (better !== this.#state.reason) this.#become({ status: "signed-out", reason: better });
  }

  #become(state: SessionState): void {
    this.#state = state;
    this.#listeners.tell(state);
  }
}

export function sessionIdOf(state: SessionState): string | undefined {
  return state.status === "signed-in" ? state.sessionId : undefined;
}
