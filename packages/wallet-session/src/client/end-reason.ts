import type { ProblemCode, SessionClientError } from "./problem.ts";

/**
 * Why a session is over, the more telling reasons first: the server's codes; `signed_out` when that was done here or in
 * another tab; `ended_by_operator` where the server's code came with that. Nothing else ends a session: not silence, not a
 * fault, not a stranger's 401.
 */
const END_REASONS = [
  "refresh_token_reused",
  "signed_out",
  "refresh_token_expired",
  "ended_by_operator",
  "refresh_token_revoked",
  "session_revoked",
  "refresh_token_invalid",
  "refresh_token_missing",
] as const satisfies readonly ProblemCode[];

export type EndReason = (typeof END_REASONS)[number];
export type TerminalCode = Exclude<EndReason, "signed_out" | "ended_by_operator">;

export function isEndReason(reason: unknown): reason is EndReason {
  return END_REASONS.some((known) => known === reason);
}

/** Undefined for what does not end a session. */
export function terminalCode(code: unknown): TerminalCode | undefined {
  return isEndReason(code) && code !== "signed_out" && code !== "ended_by_operator" ? code : undefined;
}

/** Why the session is over, by what a refresh was refused with. Undefined for what does not end it. */
export function endReasonOf({ code, endedBy }: SessionClientError): EndReason | undefined {
  const terminal = terminalCode(code);
  return terminal === "refresh_token_revoked" && endedBy === "operator" ? "ended_by_operator" : terminal;
}

/** Of two words about one end, the one that says more. */
export function moreTelling(one: EndReason, other: EndReason | undefined): EndReason {
  return END_REASONS.find((reason) => reason === one || reason === other) ?? one;
}
