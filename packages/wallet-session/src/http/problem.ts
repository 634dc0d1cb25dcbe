import { PROOF_ALGORITHMS } from "../bindings/proof-algorithms.ts";
import { ERROR_MEANINGS, type ErrorCode } from "../error-codes.ts";
import { ProblemError, SessionError } from "../errors.ts";
import { STORE_RETRY_AFTER_SECONDS } from "../limits.ts";
import { noteProblem } from "../request-context.ts";

/** Whether a guard has refused for want of a good access token, which a refresh or a sign-in mends. Never true of a fault. */
export function isGuardRefusal(error: unknown): error is SessionError {
  return error instanceof SessionError && ERROR_MEANINGS[error.code].curable === true;
}

/**
 * The form of an endpoint's errors. SEP-10 wants JSON, and 400 for each refusal; the members are the same. OAuth has members and
 * names of its own. Of what a browser gets beside its device key (DBSC), each 4xx ends the session there, but a 403 with a
 * challenge.
 */
export type ErrorForm = "problem" | "sep-10" | "oauth" | "device";

/**
 * The answer for a refusal or a fault: RFC 9457, with `code` for programs and `error` for SEP-10 clients, which show it; and
 * `ended_by` where the operator has ended the session, so that a page need not suspect another holder of the wallet.
 * Holds the error's public message and nothing else of it: no cause, no stack.
 */
export function problemResponse(error: ProblemError, form: ErrorForm = "problem"): Response {
  noteProblem(error.code);
  const status = answeredStatus(form, error);
  const headers = new Headers({ "Content-Type": mediaTypeOf(form), "Cache-Control": "no-store" });
  if (status === 429 || status === 503) {
    headers.set("Retry-After", String(error.retryAfterSeconds ?? STORE_RETRY_AFTER_SECONDS));
  }
  const isOurs = error instanceof SessionError;
  // A browser with a device key takes neither.
  const takesTokens = form !== "device";
  const asked = isOurs && takesTokens && status === 401 ? askedFor(error) : null;
  if (asked !== null) headers.set("WWW-Authenticate", asked);
  if (isOurs && takesTokens && error.challenge !== null) headers.set("DPoP-Nonce", error.challenge);
  const body = form === "oauth" ? oauthError(error) : problem(error, status);
  return new Response(JSON.stringify(body), { status, headers });
}

export function mediaTypeOf(form: ErrorForm): string {
  return form === "problem" || form === "device" ? "application/problem+json" : "application/json";
}

/** 401 says that a request lacks credentials. Where they are what is exchanged, SEP-10 and OAuth have 400. */
export function answeredStatus(
  form: ErrorForm,
  { status, code }: Pick<ProblemError, "status" | "code">,
): number {
  switch (form) {
    case "problem":
      return status;
    case "sep-10":
    case "oauth":
      return status === 401 && code !== "invalid_client" ? 400 : status;
    case "device":
      if (code === "proof_nonce") return 403;
      return status === 429 || status >= 500 ? 503 : status;
  }
}

function problem(error: ProblemError, status: number) {
  const { type, title, code, message } = error;
  const endedByOperator = error instanceof SessionError && error.endedAs === "admin";
  return {
    type,
    title,
    status,
    detail: message,
    code,
    error: message,
    ...(error instanceof SessionError && error.stepUp !== null && { action: error.stepUp.action }),
    ...(endedByOperator && { ended_by: "operator" }),
  };
}

/** What RFC 6749, §5.2, and RFC 9449, §5, have a name for. */
const OAUTH_ERRORS: Readonly<Record<string, string>> = {
  refresh_token_invalid: "invalid_grant",
  refresh_token_expired: "invalid_grant",
  refresh_token_revoked: "invalid_grant",
  refresh_token_reused: "invalid_grant",
  proof_missing: "invalid_dpop_proof",
  proof_invalid: "invalid_dpop_proof",
  proof_nonce: "use_dpop_nonce",
  invalid_client: "invalid_client",
  unsupported_grant_type: "unsupported_grant_type",
  rate_limited: "temporarily_unavailable",
  store_unavailable: "temporarily_unavailable",
  internal_error: "server_error",
} satisfies Partial<Record<ErrorCode, string>>;

/** The members of an error as OAuth has them, and the code that says more. */
export function oauthError({ code, message }: Pick<ProblemError, "code" | "message">) {
  return { error: OAUTH_ERRORS[code] ?? "invalid_request", error_description: message, code };
}

const ALGORITHMS = `algs="${PROOF_ALGORITHMS.join(" ")}"`;

/** What `WWW-Authenticate` says (RFC 6750, §3; RFC 9449, §7.1 and §9; RFC 9470, §3); null where no credentials would help. */
function askedFor(error: SessionError): string | null {
  switch (error.code) {
    case "proof_missing":
    case "proof_invalid":
      return `DPoP error="invalid_dpop_proof", ${ALGORITHMS}`;
    case "proof_nonce":
      return `DPoP error="use_dpop_nonce", ${ALGORITHMS}`;
    case "invalid_client":
      return 'Basic realm="wallet-session"';
    case "insufficient_user_authentication": {
      const maxAge = error.stepUp?.maxAgeSeconds ?? null;
      return `Bearer error="${error.code}"${maxAge === null ? "" : `, max_age=${maxAge}`}`;
    }
    default:
      if (!isGuardRefusal(error)) return null;
      return error.scheme === "DPoP"
        ? `DPoP error="invalid_token", ${ALGORITHMS}`
        : 'Bearer error="invalid_token"';
  }
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
