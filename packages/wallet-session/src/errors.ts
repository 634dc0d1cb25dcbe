import type { RevocationReason } from "./store.ts";

/** Every code that the outside can meet. Closed: a new code is a change of the contract (docs/api.md). */
export const ERROR_CODES = [
  "invalid_request",
  "challenge_invalid",
  "challenge_expired",
  "challenge_used",
  "signature_invalid",
  "refresh_token_missing",
  "refresh_token_invalid",
  "refresh_token_expired",
  "refresh_token_revoked",
  "refresh_token_reused",
  "access_token_missing",
  "access_token_invalid",
  "access_token_expired",
  "session_revoked",
  "cross_origin",
  "not_found",
  "method_not_allowed",
  "not_acceptable",
  "body_too_large",
  "unsupported_media_type",
  "rate_limited",
  "store_unavailable",
  "horizon_unavailable",
  // Not a refusal: a fault of this server that has no name, answered with 500.
  "internal_error",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** A bundler may load this module more than once: an error of one copy is one for the others too. */
const SESSION_ERROR = Symbol.for("wallet-session.SessionError");

/**
 * A refusal or a fault with one of the closed codes.
 *
 * `message` is public: it is sent to the client as `detail`, so it never holds a token, a secret or a
 * stored value. `cause` is for the log of the server alone. Carries no stack.
 */
export class SessionError extends Error {
  override readonly name = "SessionError";
  readonly code: ErrorCode;
  /** Seconds after which a retry makes sense; set for `rate_limited` and the two `*_unavailable` codes. */
  readonly retryAfterSeconds: number | undefined;
  /** Why the session had ended when it was refused. `replaced`: a newer sign-in owns the cookie jar, leave it alone. */
  readonly endedAs: RevocationReason | null;

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && SESSION_ERROR in value;
  }

  get [SESSION_ERROR](): true {
    return true;
  }

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; retryAfterSeconds?: number; endedAs?: RevocationReason | null } = {},
  ) {
    // A refusal is an answer and a fault has its cause: a stack would say nothing more, and costs a flood of garbage
    // tokens as much again as refusing them.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    Error.stackTraceLimit = stackTraceLimit;
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.endedAs = options.endedAs ?? null;
  }
}
