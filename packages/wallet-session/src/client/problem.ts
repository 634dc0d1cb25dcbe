import type { ErrorCode, ErrorCodeThat } from "../error-codes.ts";

/** A code of the server. A newer server may have codes that this client does not know. */
export type ProblemCode = ErrorCode | (string & {});

/**
 * A request that the server refused, or did not decide.
 *
 * `network_error`: no answer, so the outcome is unknown; `unexpected_response`: an answer, but not one of ours, as
 * from a proxy or a captive portal. Neither says anything about the session. `cookies_not_kept`: a sign-in in a browser that
 * keeps no cookies of the page, before anything was signed.
 */
export class SessionClientError extends Error {
  override readonly name = "SessionClientError";
  readonly code: ProblemCode | "network_error" | "unexpected_response" | "cookies_not_kept";
  /** Undefined when there was no answer. */
  readonly status: number | undefined;
  /** Seconds that the server asked to wait. */
  readonly retryAfterSeconds: number | undefined;
  /** Set where the operator has ended the session. */
  readonly endedBy: "operator" | undefined;

  constructor(
    code: SessionClientError["code"],
    message: string,
    options: {
      cause?: unknown;
      status?: number;
      retryAfterSeconds?: number | undefined;
      endedBy?: "operator" | undefined;
    } = {},
  ) {
    super(message, options);
    this.code = code;
    this.status = options.status;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.endedBy = options.endedBy;
  }
}

/**
 * The 401s after which a renewal is worth a try. `session_revoked` is among them because another tab may have signed
 * in anew since: the refresh endpoint knows which session the jar holds now, and its word is final.
 */
const CURABLE: Readonly<Record<ErrorCodeThat<"curable">, true>> = {
  access_token_missing: true,
  access_token_invalid: true,
  access_token_expired: true,
  session_revoked: true,
};

/** Whether another access token may cure a refusal with this code. Does NOT say that the session still stands. */
export function isCurable(code: unknown): boolean {
  return typeof code === "string" && Object.hasOwn(CURABLE, code);
}

/** Retries without a wait would be a storm; a longer wait would leave a page stale. */
const ASKED_WAIT_MS = { least: 1_000, most: 300_000 };

/** How long to wait when the server asked for `seconds`. */
export function askedWaitMs(seconds: number): number {
  return Math.min(ASKED_WAIT_MS.most, Math.max(ASKED_WAIT_MS.least, seconds * 1_000));
}

/** The `code` of a problem of ours, or undefined for any other answer. Consumes the body. */
export async function problemCode(response: Response): Promise<ProblemCode | undefined> {
  return (await readProblem(response))?.code;
}

/** What to throw for an answer that is not a success. Consumes the body. */
export async function errorOf(response: Response): Promise<SessionClientError> {
  const problem = await readProblem(response);
  const retryAfterSeconds = retryAfter(response);
  return new SessionClientError(
    problem?.code ?? "unexpected_response",
    problem?.detail ?? `The server answered ${response.status}`,
    { status: response.status, retryAfterSeconds, endedBy: problem?.endedBy },
  );
}

/** What to throw when `fetch` itself did. */
export function unreachable(cause: unknown): SessionClientError {
  return new SessionClientError("network_error", "The server could not be reached", { cause });
}

interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly endedBy: "operator" | undefined;
}

async function readProblem(response: Response): Promise<Problem | undefined> {
  const contentType = response.headers.get("content-type") ?? "";
  const media = /^application\/(problem\+)?json\s*(?:;|$)/i.exec(contentType);
  // Plain JSON is the form of the SEP-10 endpoint, which has no 401: one in it is a stranger's.
  if (media === null || (media[1] === undefined && response.status === 401)) return undefined;
  try {
    const { code, detail, ended_by: endedBy }: Partial<Record<string, unknown>> = await response.json();
    if (typeof code !== "string") return undefined;
    return {
      code,
      detail: typeof detail === "string" ? detail : code,
      endedBy: endedBy === "operator" ? endedBy : undefined,
    };
  } catch {
    return undefined;
  }
}

function retryAfter(response: Response): number | undefined {
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}
