import { ERROR_MEANINGS, type ErrorCode } from "./error-codes.ts";
import type { RevocationReason } from "./store.ts";

/** A bundler may load this module more than once: an error of one copy is one for the others too. */
const PROBLEM_ERROR = Symbol.for("wallet-session.ProblemError");
const SIGN_IN_REFUSED = Symbol.for("wallet-session.SignInRefused");
const SESSION_ERROR = Symbol.for("wallet-session.SessionError");

/**
 * A refusal or a fault that has an answer of its own. Made by an app for its own codes; {@link SessionError} is the one with
 * the codes of this package. `guard` and `endpoint` answer both alike.
 *
 * `message` is public: it is sent to the client as `detail`, so it never holds a token, a secret or a stored value. `cause`
 * is for the log of the server alone. Carries no stack.
 */
export class ProblemError<Code extends string = string> extends Error {
  override readonly name: string = "ProblemError";
  /** A URI that names the kind of problem (RFC 9457 §3.1.1). */
  readonly type: string;
  readonly code: Code;
  readonly status: number;
  readonly title: string;
  /** Seconds after which a retry makes sense; sent with 429 and 503. Undefined: the server's usual wait. */
  readonly retryAfterSeconds: number | undefined;

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isMarked(value, PROBLEM_ERROR);
  }

  get [PROBLEM_ERROR](): true {
    return true;
  }

  constructor(
    problem: { type: string; code: Code; status: number; title: string },
    message: string,
    options: { cause?: unknown; retryAfterSeconds?: number } = {},
  ) {
    // A refusal is an answer and a fault has its cause: a stack would say nothing more, and costs a flood of garbage
    // tokens as much again as refusing them.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    Error.stackTraceLimit = stackTraceLimit;
    this.type = problem.type;
    this.code = problem.code;
    this.status = problem.status;
    this.title = problem.title;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** A signature over an action, or a sign-in that is young enough (RFC 9470). */
export interface StepUpWanted {
  /** The hash of the action, for the wallet's challenge. */
  readonly action: string;
  /** How young a sign-in would do, where one would. */
  readonly maxAgeSeconds: number | null;
}

/** A refusal or a fault with one of the closed codes of this package. */
export class SessionError extends ProblemError<ErrorCode> {
  override readonly name = "SessionError";
  /** Why the session had ended when it was refused. `replaced`: a newer sign-in owns the cookie jar, leave it alone. */
  readonly endedAs: RevocationReason | null;
  /** What the next proof is to be signed over; null where none is wanted. */
  readonly challenge: string | null;
  /** By which a refused access token came, and another one is asked for (RFC 9110, §11.6.1). */
  readonly scheme: "Bearer" | "DPoP";
  /** What has to be shown now; null where nothing has. */
  readonly stepUp: StepUpWanted | null;

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isMarked(value, SESSION_ERROR);
  }

  get [SESSION_ERROR](): true {
    return true;
  }

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      cause?: unknown;
      retryAfterSeconds?: number;
      endedAs?: RevocationReason | null;
      challenge?: string | null;
      scheme?: "Bearer" | "DPoP";
      stepUp?: StepUpWanted;
    } = {},
  ) {
    const { status, title } = ERROR_MEANINGS[code];
    super({ type: `urn:wallet-session:problem:${code}`, code, status, title }, message, options);
    this.endedAs = options.endedAs ?? null;
    this.challenge = options.challenge ?? null;
    this.scheme = options.scheme ?? "Bearer";
    this.stepUp = options.stepUp ?? null;
  }
}

const APP_CODE = /^[a-z][a-z0-9_]{0,63}$/;

/**
 * What an app's `onSignIn` throws to refuse somebody whose signature is good: 403 with the app's own code and a sentence for
 * the person, both public. `code`: lower case letters, digits and underscores, 64 at most, and none of this package's.
 * @throws RangeError for another code
 */
export class SignInRefused extends ProblemError {
  override readonly name = "SignInRefused";

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isMarked(value, SIGN_IN_REFUSED);
  }

  get [SIGN_IN_REFUSED](): true {
    return true;
  }

  constructor(code: string, message: string) {
    if (!APP_CODE.test(code) || code in ERROR_MEANINGS) {
      throw new RangeError(`SignInRefused: ${JSON.stringify(code.slice(0, 80))} is no code of an app's own`);
    }
    const type = "urn:wallet-session:problem:sign_in_refused";
    super({ type, code, status: 403, title: "Sign-in refused" }, message);
  }
}

function isMarked(value: unknown, mark: symbol): boolean {
  return typeof value === "object" && value !== null && mark in value;
}
