import type { SessionState } from "wallet-session/client";

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

/** `proof_missing`: the session has not ended, but this browser cannot prove that it is its own. */
export type EndReason = Extract<SessionState, { status: "signed-out" }>["reason"] | "proof_missing";

interface EndExplanation {
  readonly title: string;
  readonly text: string;
  /** Whether the person should look into it, and not only sign in again. */
  readonly alarming?: true;
}

const ENDED_BY_SOMEBODY: EndExplanation = {
  title: "This session was ended.",
  text: "Somebody who is signed in with your wallet ended it from another browser. If that was not you, sign in and look at the list of sessions.",
};

const EXPLANATIONS: Readonly<Record<EndReason, EndExplanation>> = {
  signed_out: {
    title: "You are signed out.",
    text: "This browser’s session has ended. Any other session of yours goes on until you end it.",
  },
  ended_by_operator: {
    title: "This session was ended by the operator.",
    text: "The operator of this service ended it, for example to keep an account safe. You can sign in for a new one.",
  },
  refresh_token_revoked: ENDED_BY_SOMEBODY,
  session_revoked: ENDED_BY_SOMEBODY,
  refresh_token_reused: {
    title: "This session was ended to protect you.",
    text: "A spent key of this session was used a second time, which can mean that a copy of it was stolen. The session and every copy of it are now worthless. Sign in for a new one.",
    alarming: true,
  },
  refresh_token_expired: {
    title: "This session has run out.",
    text: "It was unused for too long, or it reached its final day. Sign in for a new one.",
  },
  refresh_token_invalid: {
    title: "This session is not known any more.",
    text: "The server does not recognise what this browser holds. Sign in for a new session.",
  },
  proof_missing: {
    title: "This browser could not show that the session is its own.",
    text: "The session is tied to the device on which you signed in, and goes on there. Sign in for a session of this browser. If it is the same device, its key was lost.",
  },
  refresh_token_missing: {
    title: "You are signed out in this browser.",
    text: "The session ended in another tab, or it was unused for too long. Sign in for a new one.",
  },
};

export function explainEnd(reason: EndReason): EndExplanation {
  return EXPLANATIONS[reason];
}

/** Reads a reason from a URL or from storage; null for one without an explanation. */
export function endReason(reason: unknown): EndReason | null {
  return typeof reason === "string" && isExplained(reason) ? reason : null;
}

function isExplained(reason: string): reason is EndReason {
  return Object.hasOwn(EXPLANATIONS, reason);
}
