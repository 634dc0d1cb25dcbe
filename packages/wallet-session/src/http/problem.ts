import { ERROR_MEANINGS } from "../error-codes.ts";
import { ProblemError, SessionError } from "../errors.ts";
import { STORE_RETRY_AFTER_SECONDS } from "../limits.ts";
import { noteProblem } from "../request-context.ts";

/** Whether a guard has refused for want of a good access token, which a refresh or a sign-in mends. Never true of a fault. */
export function isGuardRefusal(error: unknown): error is SessionError {
  return error instanceof SessionError && ERROR_MEANINGS[error.code].curable === true;
}

/**
 * The answer for a refusal or a fault: RFC 9457, with `code` for programs and `error` for SEP-10 clients, which show it; and
 * `ended_by` where the operator has ended the session, so that a page need not suspect another holder of the wallet.
 * Holds the error's public message and nothing else of it: no cause, no stack.
 */
export function problemResponse(error: ProblemError): Response {
  const { type, title, status, code, message } = error;
  noteProblem(code);
  const headers = new Headers({ "Content-Type": "application/problem+json", "Cache-Control": "no-store" });
  if (status === 429 || status === 503) {
    headers.set("Retry-After", String(error.retryAfterSeconds ?? STORE_RETRY_AFTER_SECONDS));
  }
  if (isGuardRefusal(error)) headers.set("WWW-Authenticate", 'Bearer error="invalid_token"');
  const endedByOperator = error instanceof SessionError && error.endedAs === "admin";
  const body = {
    type,
    title,
    status,
    detail: message,
    code,
    error: message,
    ...(endedByOperator && { ended_by: "operator" }),
  };
  return new Response(JSON.stringify(body), { status, headers });
}

/** The problem for an exception: a refusal or a known fault is itself, everything else is `internal_error`. */
export function asProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  return new SessionError("internal_error", "The server met an unexpected fault.", { cause: error });
}

/** True for a fault that a person must look at and that the engine has not reported already, as it does the store's. */
export function isUnreportedFault({ status, code }: ProblemError): boolean {
  return status >= 500 && code !== "store_unavailable";
}
