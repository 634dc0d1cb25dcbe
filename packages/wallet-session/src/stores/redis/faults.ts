/** What the server answered a command with instead of a result. `code` is the first word: `READONLY`, `MOVED`, `ERR`. */
export class ServerFault extends Error {
  override readonly name = "ServerFault";
  readonly code: string;

  constructor(message: string) {
    super(message);
    this.code = message.split(" ", 1)[0] ?? "";
  }
}

/** No connection, or one that was lost. `sent`: the command was on its way, so what it asked for may be done or not. */
export class ConnectionFault extends Error {
  override readonly name = "ConnectionFault";
  readonly sent: boolean;

  constructor(sent: boolean, cause: unknown) {
    super(sent ? "The connection to Redis was lost." : "There is no connection to Redis.", { cause });
    this.sent = sent;
  }
}

/** The step had its time. What was sent may be done or not, and is never sent again. */
export class StepTimeout extends Error {
  override readonly name = "StepTimeout";
}

/** Answers before the server has begun with what was asked: it can be asked again. */
const NOT_BEGUN = /^(ASK|BUSY|CLUSTERDOWN|LOADING|MASTERDOWN|MOVED|NOSCRIPT|READONLY|TRYAGAIN)$/;

/** Of these, the answers of a node that is not the primary, or knows of none. */
const ELSEWHERE = /^(CLUSTERDOWN|MASTERDOWN|MOVED|READONLY)$/;

export function isNotBegun(error: unknown): boolean {
  if (error instanceof ConnectionFault) return !error.sent;
  return error instanceof ServerFault && NOT_BEGUN.test(error.code);
}

/** Sent, and then the connection was lost. */
export function isLostInFlight(error: unknown): boolean {
  return error instanceof ConnectionFault && error.sent;
}

/** After these another connection is needed: this one is gone, silent, or leads to a node that is not the primary. */
export function isOfConnection(error: unknown): boolean {
  return error instanceof ConnectionFault || (error instanceof ServerFault && ELSEWHERE.test(error.code));
}
