// SQLSTATEs (PostgreSQL documentation, appendix A).

/** Wrong statements and values, and broken constraints. Not what a role may not do (42501): that is how it is set up. */
const MISTAKE = /^(21|22|23|42(?!501))/;
/** Serialization failure, deadlock. */
const UNDONE = /^(40001|40P01)$/;
/** The connection or the server is going away, is not there yet, or has no room; a transaction stood idle for too long. */
const LOST = /^(08...|57P0[1235]|53300|25P03|ECONNRESET|ECONNREFUSED|EPIPE)$/;
/** `pg` gives these no code. */
const LOST_MESSAGE = /^Connection terminated( unexpectedly)?$|connection error and is not queryable/;

/** True for what is a mistake of the caller, in the statement or its values, and no fault of the database. */
export function isMistake(error: unknown): boolean {
  return MISTAKE.test(codeOf(error));
}

/** The database has undone the transaction for the sake of another one, and said so. */
export function isUndone(error: unknown): boolean {
  return UNDONE.test(codeOf(error));
}

/** The connection was lost or could not be made. No timeouts: those have used up their time. */
export function isLost(error: unknown): boolean {
  const code = codeOf(error);
  return code === "" ? error instanceof Error && LOST_MESSAGE.test(error.message) : LOST.test(code);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
