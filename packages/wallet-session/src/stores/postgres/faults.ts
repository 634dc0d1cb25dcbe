// SQLSTATEs (PostgreSQL documentation, appendix A).
const SERIALIZATION_FAILURE = "40001";
const DEADLOCK_DETECTED = "40P01";
/** The connection or the server is going away, or is not there yet. */
const LOST_STATES: readonly string[] = ["57P01", "57P02", "57P03", "53300"];
const LOST_CLASS = "08";
const LOST_CODES: readonly string[] = ["ECONNRESET", "ECONNREFUSED", "EPIPE"];
/** `pg` gives these no code. */
const LOST_MESSAGE = /^Connection terminated( unexpectedly)?$|connection error and is not queryable/;

/** The server has undone the transaction for the sake of another one, and said so: it can be begun again. */
export function isUndone(error: unknown): boolean {
  const code = codeOf(error);
  return code === SERIALIZATION_FAILURE || code === DEADLOCK_DETECTED;
}

/**
 * The connection was lost or could not be made. What was sent on it may be done or not: a server that is told to stop says
 * 57P01 also to a statement that it has just committed. No timeouts: those have used up their time.
 */
export function isLost(error: unknown): boolean {
  const code = codeOf(error);
  if (code === null) return error instanceof Error && LOST_MESSAGE.test(error.message);
  return LOST_STATES.includes(code) || LOST_CODES.includes(code) || code.startsWith(LOST_CLASS);
}

function codeOf(error: unknown): string | null {
  if (!(error instanceof Error && "code" in error)) return null;
  return typeof error.code === "string" ? error.code : null;
}
