import type { ErrorCode } from "../error-codes.ts";

/** A code of the server. A newer server may have codes that this client does not know. */
export type ProblemCode = ErrorCode | (string & {});

/**
 * A request that the server refused, or did not decide.
 *
 * `network_error`: no answer, so the outcome is unknown; `unexpected_response`: an answer, but not one of ours, as
 * from a proxy or a captive portal. Neither says anything about the session.
 */
export class SessionClientError extends Error {
  override readonly name = "SessionClientError";
  readonly code: ProblemCode | "network_error" | "unexpected_response";
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
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.status = options.status;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.endedBy = options.endedBy;
  }
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
  if (!/^application\/problem\+json\s*(?:;|$)/i.test(contentType)) return undefined;
  try {
    const body: unknown = await response.json();
    if (typeof body !== "object" || body === null || !("code" in body)) return undefined;
    if (typeof body.code !== "string") return undefined;
    const detail = "detail" in body && typeof body.detail === "string" ? body.detail : body.code;
    const endedBy = "ended_by" in body && body.ended_by === "operator" ? body.ended_by : undefined;
    return { code: body.code, detail, endedBy };
  } catch {
    return undefined;
  }
}

function retryAfter(response: Response): number | undefined {
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}
