import {
  POSTGRES_LISTEN_AGAIN_MS,
  POSTGRES_LISTEN_PING_MS,
  POSTGRES_STATEMENT_TIMEOUT_MS,
  STORE_STEP_TIMEOUT_MS,
} from "../../limits.ts";

/** How long the store waits for what. Tests that wait for the end of a wait take less. */
export interface PostgresTimes {
  /** For all that one step waits for. */
  readonly stepMs: number;
  /** After which the server gives a statement up, on connections of the store's own pool. */
  readonly statementMs: number;
  /** Between the loss of the connection that listens and the next one. */
  readonly listenAgainMs: number;
  /** Between two questions to that connection, whether it still answers. */
  readonly listenPingMs: number;
}

export const POSTGRES_TIMES: PostgresTimes = {
  stepMs: STORE_STEP_TIMEOUT_MS,
  statementMs: POSTGRES_STATEMENT_TIMEOUT_MS,
  listenAgainMs: POSTGRES_LISTEN_AGAIN_MS,
  listenPingMs: POSTGRES_LISTEN_PING_MS,
};
