import { type EndReason, moreTelling, type TerminalCode, terminalCode } from "./end-reason.ts";
import { Listeners } from "./listeners.ts";

/** A new object after each answer of the server, the same one in between. */
export type SessionState =
  | { readonly status: "unknown" }
  | { readonly status: "signed-in"; readonly sessionId: string }
  | { readonly status: "signed-out"; readonly reason: EndReason };

/**
 * What this tab knows of the session: how it stands by the server's last word, and why it ended by the most telling of all
 * that was heard.
 */
export class KnownSession {
  readonly #listeners = new Listeners<[SessionState]>();
  #state: SessionState = { status: "unknown" };
  #epoch = 0;
  #lastId: string | undefined;
  /** That a session has ended, by the word of a live feed. */
  #told: { readonly sessionId: string; readonly code: TerminalCode } | undefined;

  get state(): SessionState {
    return this.#state;
  }

  get id(): string | undefined {
    return sessionIdOf(this.#state);
  }

  /** Rises whenever a session begins or ends, or proves to have ended; what belongs to an earlier epoch no longer counts. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Whether a feed has said that it ended, and the server has not spoken since. */
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
    // An end empties the jar. That it is empty, as a request that was under way meanwhile finds, explains nothing.
    if (this.#state.status === "signed-out" && reason === "refresh_token_missing") return;
    this.#become({ status: "signed-out", reason });
  }

  /** A live feed says that the session at hand has ended. A code that ends nothing takes an earlier word back. */
  hearOfEnd(code: string): void {
    const { id } = this;
    const terminal = terminalCode(code);
    this.#told = id === undefined || terminal === undefined ? undefined : { sessionId: id, code: terminal };
  }

  /** The server has just given tokens: whatever a feed said, nothing has ended. */
  settleDoubt(): void {
    this.#told = undefined;
  }

  /** Of the server's word on the end and the feed's, the one that says more. */
  reasonFor(reason: EndReason): EndReason {
    return moreTelling(reason, this.#told?.sessionId === this.id ? this.#told?.code : undefined);
  }

  /** Another tab's word on the same end, which this tab may have met without learning why: an empty jar. */
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
