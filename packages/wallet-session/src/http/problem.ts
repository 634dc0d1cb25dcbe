import { type ErrorCode, SessionError } from "../errors.ts";
import { STORE_RETRY_AFTER_SECONDS } from "../limits.ts";
import { noteProblem } from "../request-context.ts";

interface Problem {
  readonly status: number;
  readonly title: string;
}

/** As with `SessionError`: the error of any copy of this module. */
const PROBLEM_ERROR = Symbol.for("wallet-session.ProblemError");

/**
 * A refusal or a fault of an app's own routes, with a code of the app's own: `guard` and `endpoint` answer it as they do
 * the engine's. `detail` is public, so it never holds a secret or a stored value; `cause` is for the log alone.
 */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  /** A URI that names the kind of problem (RFC 9457 §3.1.1). */
  readonly type: string;
  readonly code: string;
  readonly status: number;
  readonly title: string;
  /** Seconds after which a retry makes sense; sent with 429 and 503. */
  readonly retryAfterSeconds: number | undefined;

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && PROBLEM_ERROR in value;
  }

  get [PROBLEM_ERROR](): true {
    return true;
  }

  constructor(
    problem: { type: string; code: string; status: number; title: string },
    detail: string,
    options: { cause?: unknown; retryAfterSeconds?: number } = {},
  ) {
    super(detail, "cause" in options ? { cause: options.cause } : undefined);
    this.type = problem.type;
    this.code = problem.code;
    this.status = problem.status;
    this.title = problem.title;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
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

/** Whether a guard has refused for want of a good access token, which a renewal or a sign-in mends. Never true of a fault. */
export function isGuardRefusal(error: unknown): boolean {
  return error instanceof SessionError && GUARD_CODES.has(error.code);
}

/**
 * The answer for a refusal or a fault: RFC 9457, with `code` for programs and `error` for SEP-10 clients, which show it; and
 * `ended_by` where the operator has ended the session, so that a page need not suspect whoever has the wallet.
 * Holds the error's public message and nothing else of it: no cause, no stack.
 */
export function problemResponse(error: SessionError | ProblemError): Response {
  const { status, title, type } = describe(error);
  noteProblem(error.code);
  const headers = new Headers({ "Content-Type": "application/problem+json", "Cache-Control": "no-store" });
  if (status === 429 || status === 503) {
    headers.set("Retry-After", String(error.retryAfterSeconds ?? STORE_RETRY_AFTER_SECONDS));
  }
  if (error instanceof SessionError && GUARD_CODES.has(error.code))
    headers.set("WWW-Authenticate", 'Bearer error="invalid_token"');
  const body = {
    type,
    title,
    status,
    detail: error.message,
    code: error.code,
    error: error.message,
    ...(error instanceof SessionError && error.endedAs === "admin" && { ended_by: "operator" }),
  };
  return new Response(JSON.stringify(body), { status, headers });
}

function describe(error: SessionError | ProblemError): Problem & { readonly type: string } {
  if (error instanceof ProblemError) return error;
  return { ...PROBLEMS[error.code], type: `urn:wallet-session:problem:${error.code}` };
}

/** What an exception is to the outside: a refusal or a known fault is itself, everything else `internal_error`. */
export function asProblem(error: unknown): SessionError | ProblemError {
  if (error instanceof SessionError || error instanceof ProblemError) return error;
  return new SessionError("internal_error", "The server met an unexpected fault.", { cause: error });
}

/** True for what a person must look at and the engine has not reported already, as it does faults of the store. */
export function isUnreportedFault(error: SessionError | ProblemError): boolean {
  return describe(error).status >= 500 && error.code !== "store_unavailable";
}
