import { codeOf, isError } from "../foreign-errors.ts";
import { POSTGRES_RETRY_MS, POSTGRES_TRIES, STORE_STEP_TIMEOUT_MS } from "../limits.ts";

// Facts about PostgreSQL and its driver `pg`. Nothing here imports the driver: most who install this package have none.

// SQLSTATEs (PostgreSQL documentation, appendix A) and Node's codes for sockets.

/** Serialization failure, deadlock. */
const UNDONE = /^(40001|40P01)$/;
/** The connection or the server is going away, is not there yet, or has no room; a session or a transaction was idle too long. */
const LOST = /^(08...|57P0[1235]|53300|25P03|ECONNRESET|ECONNREFUSED|EPIPE)$/;
/** `pg` gives these no code. */
const LOST_MESSAGE = /^Connection terminated( unexpectedly)?$|connection error and is not queryable/;
/** Wrong statements and values, and broken constraints. Not a missing right (42501): an operator grants that. */
const MISTAKE = /^(21|22|23|42(?!501))/;

/** True where the server undid the transaction in favour of another one: it can begin again. */
export function isUndone(error: unknown): boolean {
  return UNDONE.test(codeOf(error));
}

/**
 * True where the connection was lost or could not be made. What was sent on it may be done or not: a server that stops says
 * 57P01 also to a statement that it has just committed. False for timeouts: those have used up their time.
 */
export function isLost(error: unknown): boolean {
  const code = codeOf(error);
  return code === "" ? isError(error) && LOST_MESSAGE.test(error.message) : LOST.test(code);
}

/** True for a mistake of the caller, in the statement or its values, which is no fault of the database. */
export function isMistake(error: unknown): boolean {
  return MISTAKE.test(codeOf(error));
}

/** Milliseconds to wait after the given number of tries, each time twice as long; null: it was the last try. */
export function retryAfterMs(tries: number): number | null {
  return tries < POSTGRES_TRIES ? POSTGRES_RETRY_MS * 2 ** (tries - 1) : null;
}

/**
 * An SQL expression that works as `SET LOCAL synchronous_commit = on` within its transaction, whatever the server, the
 * database or the role has as default: no commit is acknowledged before it is on disk. `remote_apply` is stronger and stays.
 */
export const DURABLY = `set_config('synchronous_commit',
  CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true)`;

/** What each client and pool of `pg` is made with. */
export function connectionSettings(url: string, applicationName: string) {
  return {
    connectionString: url,
    application_name: applicationName,
    connectionTimeoutMillis: STORE_STEP_TIMEOUT_MS,
    keepAlive: true,
  };
}

type GetTypeParser = (oid: number, format?: "text" | "binary") => unknown;

const INT8_OID = 20;

/**
 * `types` for a pool, a client or a query: 8-byte integers are read with `parse`, all else as `pg` reads it.
 * @param getTypeParser `types.getTypeParser` of `pg`
 */
export function readingInt8(getTypeParser: GetTypeParser, parse: (text: string) => unknown) {
  return {
    getTypeParser: (oid: number, format?: "text" | "binary") =>
      oid === INT8_OID ? parse : getTypeParser(oid, format),
  };
}

interface Emitter {
  on(event: "error", listener: () => void): unknown;
}

interface PoolEmitter {
  on(event: "connect", listener: (client: Emitter) => void): unknown;
  on(event: "error", listener: () => void): unknown;
}

/**
 * Keeps the process alive when a connection is lost: without these listeners the event ends it. The pool drops the connection
 * by itself, and the statement that waits on it learns of the loss by its own promise.
 */
export function surviveLostConnections(pool: PoolEmitter): void {
  pool.on("error", () => {});
  pool.on("connect", (client) => void client.on("error", () => {}));
}
