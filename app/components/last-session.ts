import type { SessionState } from "wallet-session/client";
import { type EndReason, endReason } from "./end-explanations.ts";

/**
 * What this browser remembers of its last session: that it began, so that nobody asks the server about one that never was,
 * and why it ended, so that a page which is loaded anew can still say so. A hint and no more: nothing is granted for it.
 */
const LAST_SESSION = "streampay.last-session";
const BEGAN = "began";

export function rememberSession(state: SessionState): void {
  if (state.status === "signed-in") localStorage.setItem(LAST_SESSION, BEGAN);
  if (state.status !== "signed-out") return;
  // Who has signed out knows why.
  if (state.reason === "signed_out") localStorage.removeItem(LAST_SESSION);
  // An empty jar explains nothing that is known by now, nor what never was.
  else if (state.reason !== "refresh_token_missing" || hasSignedInBefore())
    localStorage.setItem(LAST_SESSION, state.reason);
}

export function hasSignedInBefore(): boolean {
  return localStorage.getItem(LAST_SESSION) === BEGAN;
}

/** Why the last session of this browser ended, where that is known and was not asked for here. */
export function lastEnd(): EndReason | null {
  return endReason(localStorage.getItem(LAST_SESSION));
}
