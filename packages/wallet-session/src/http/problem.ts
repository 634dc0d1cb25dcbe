import { type ErrorCode, SessionError } from "../errors.ts";
import { STORE_RETRY_AFTER_SECONDS } from "../limits.ts";

interface Problem {
  readonly status: number;
  readonly title: string;
}

const PROBLEMS: Readonly<Record<ErrorCode, Problem>> = {
  invalid_request: { status: 400, title: "Invalid request" },
  challenge_invalid: { status: 400, title: "Challenge not valid" },
  challenge_expired: { status: 401, title: "Challenge expired" },
  challenge_used: { status: 401, title: "Challenge already used" },
  signature_invalid: { status: 401, title: "Signature not valid" },
  refresh_token_missing: { status: 401, title: "Refresh token missing" },
  refresh_token_invalid: { status: 401, title: "Refresh token not valid" },
  refresh_token_expired: { status: 401, title: "Refresh token expired" },
  refresh_token_revoked: { status: 401, title: "Refresh token revoked" },
  refresh_token_reused: { status: 401, title: "Refresh token reused" },
  access_token_missing: { status: 401, title: "Access token missing" },
  access_token_invalid: { status: 401, title: "Access token not valid" },
  access_token_expired: { status: 401, title: "Access token expired" },
  session_revoked: { status: 401, title: "Session revoked" },
  cross_origin: { status: 403, title: "Request from another origin" },
  not_found: { status: 404, title: "Not found" },
  method_not_allowed: { status: 405, title: "Method not allowed" },
  not_acceptable: { status: 406, title: "Not acceptable" },
  body_too_large: { status: 413, title: "Body too large" },
  unsupported_media_type: { status: 415, title: "Unsupported media type" },
  rate_limited: { status: 429, title: "Too many requests" },
  internal_error: { status: 500, title: "Internal error" },
  store_unavailable: { status: 503, title: "Store unavailable" },
  horizon_unavailable: { status: 503, title: "Horizon unavailable" },
};

const GUARD_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "access_token_missing",
  "access_token_invalid",
  "access_token_expired",
  "session_revoked",
]);

/**
 * The answer for a refusal or a fault: RFC 9457, with `code` for programs and `error` for SEP-10 clients, which show it.
 * Holds the error's public message and nothing else of it: no cause, no stack.
 */
export function problemResponse(error: SessionError): Response {
  const { status, title } = PROBLEMS[error.code];
  const headers = new Headers({ "Content-Type": "application/problem+json", "Cache-Control": "no-store" });
  if (status === 429 || status === 503) {
    headers.set("Retry-After", String(error.retryAfterSeconds ?? STORE_RETRY_AFTER_SECONDS));
  }
  if (GUARD_CODES.has(error.code)) headers.set("WWW-Authenticate", 'Bearer error="invalid_token"');
  const body = {
    type: `urn:wallet-session:problem:${error.code}`,
    title,
    status,
    detail: error.message,
    code: error.code,
    error: error.message,
  };
  return new Response(JSON.stringify(body), { status, headers });
}

/** What an exception is to the outside: a `SessionError` is itself, everything else `internal_error`. */
export function asSessionError(error: unknown): SessionError {
  if (error instanceof SessionError) return error;
  return new SessionError("internal_error", "The server met an unexpected fault.", { cause: error });
}

/** True for what a person must look at and the engine has not reported already, as it does faults of the store. */
export function isUnreportedFault(error: SessionError): boolean {
  return PROBLEMS[error.code].status >= 500 && error.code !== "store_unavailable";
}
