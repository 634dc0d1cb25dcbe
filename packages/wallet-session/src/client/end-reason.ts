import type { ErrorCodeThat } from "../error-codes.ts";
import type { SessionClientError } from "./problem.ts";

/** The server's codes that end a session. */
export type TerminalCode = ErrorCodeThat<"ends">;

/**
 * Why a session is over: a code of the server; `signed_out` when that was done here or in another tab; `ended_by_operator`
 * where the server's code came with that. Nothing else ends a session: not silence, not a fault, not a stranger's 401.
 */
export type EndReason = TerminalCode | "signed_out" | "ended_by_operator";

/** How much each reason tells: the lowest number tells most. */
const RANKS: Readonly<Record<EndReason, number>> = {
  refresh_token_reused: 0,
  signed_out: 1,
  refresh_token_expired: 2,
  ended_by_operator: 3,
  refresh_token_revoked: 4,
  session_revoked: 5,
  refresh_token_invalid: 6,
  refresh_token_missing: 7,
};

export function isEndReason(reason: unknown): reason is EndReason {
  return typeof reason === "string" && Object.hasOwn(RANKS, reason);
}

/** Undefined for a code that does not end a session. */
export function terminalCode(code: unknown): TerminalCode | undefined {
  return isEndReason(code) && code !== "signed_out" && code !== "ended_by_operator" ? code : undefined;
}

/** Why the session is over, by the refusal of a refresh. Undefined for a refusal that does not end it. */
export function endReasonOf({ code, endedBy }: SessionClientError): EndReason | undefined {
  const terminal = terminalCode(code);
  return terminal === "refresh_token_revoked" && endedBy === "operator" ? "ended_by_operator" : terminal;
}

/** Of two words about one end, the one that says more. */
export function moreTelling(one: EndReason, other: EndReason | undefined): EndReason {
  return other !== undefined && RANKS[other] < RANKS[one] ? other : one;
}
