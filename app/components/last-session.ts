import type { SessionState } from "wallet-session/client";
import { type EndReason, endReason } from "./end-explanations.ts";

/**
 * What this browser remembers of its last session: that it began, so a page without one need not ask the server, and why it
 * ended, so a page that is loaded again can still say so. Only a hint: it grants nothing.
 */
const LAST_SESSION = "streampay.last-session";
const BEGAN = "began";

export function rememberSession(state: SessionState): void {
  if (state.status === "signed-in") localStorage.setItem(LAST_SESSION, BEGAN);
  if (state.status !== "signed-out") return;
  // After a normal sign-out there is nothing to explain.
  if (state.reason === "signed_out") localStorage.removeItem(LAST_SESSION);
  // An empty jar explains nothing if a better reason is known, or if there was no session.
  else if (state.reason !== "refresh_token_missing" || hasSignedInBefore())
    localStorage.setItem(LAST_SESSION, state.reason);
}

export function hasSignedInBefore(): boolean {
  return localStorage.getItem(LAST_SESSION) === BEGAN;
}

/** Why the last session of this browser ended; null if that is unknown, or after a normal sign-out. */
export function lastEnd(): EndReason | null {
  return endReason(localStorage.getItem(LAST_SESSION));
}
