import { SessionError } from "wallet-session";
import { ProblemError } from "wallet-session/kit";

/** The status and the title of each of the app's own codes. */
export const REFUSALS = {
  not_permitted: { status: 403, title: "Not permitted" },
  stream_state: { status: 409, title: "Not in this state" },
  operation_state: { status: 409, title: "Not in this state" },
  signature_required: { status: 409, title: "New signature required" },
  settlement_refused: { status: 409, title: "Settlement refused" },
  version_conflict: { status: 412, title: "Changed meanwhile" },
  idempotency_mismatch: { status: 422, title: "Idempotency key used for something else" },
  settlement_unavailable: { status: 503, title: "Settlement unavailable" },
} as const;

/** The codes of the app's own refusals, beside those of the sessions. Closed: a new one is a change of docs/api.md. */
export type RefusalCode = keyof typeof REFUSALS;

/** The URI of a refusal's kind. */
export function refusalType(code: string): string {
  return `urn:streampay:problem:${code}`;
}

/** A refusal with one of the closed codes. `detail` is sent to the client. */
export function refusal(code: RefusalCode, detail: string, options: { cause?: unknown } = {}): ProblemError {
  return new ProblemError({ type: refusalType(code), code, ...REFUSALS[code] }, detail, options);
}

/** What cannot be read as the request that it should be. */
export function malformed(what: string): SessionError {
  return new SessionError("invalid_request", `The request is malformed: ${what}.`);
}
