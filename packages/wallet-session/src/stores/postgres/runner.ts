import { setTimeout as pause } from "node:timers/promises";
import { isLost, isUndone, retryAfterMs } from "../../databases/postgres.ts";
import type { Row } from "../sql/rows.ts";
import type { Connection, Statement } from "./driver.ts";

/** The last answer to a write that may have been sent twice. */
export interface Written {
  readonly rows: readonly Row[];
  /** Whether it was sent before, on a connection that was lost: the first sending may have written it. */
  readonly sentAgain: boolean;
}

/**
 * The statements of one step share one limit in time. Every wait counts: for a free connection, a new one, each answer, the pause
 * before another try. At the limit the step rejects.
 */
export class StepRunner {
  readonly #endsAt: number;
  readonly #openConnection: () => Promise<Connection>;
  /** The next attempt to connect ends in time by itself. */
  #isBounded: boolean;

  /** @param isBounded whether `openConnection` rejects by itself once it has taken as long as a step may */
  constructor(openConnection: () => Promise<Connection>, isBounded: boolean, stepMs: number) {
    this.#endsAt = performance.now() + stepMs;
    this.#openConnection = openConnection;
    this.#isBounded = isBounded;
  }

  /** A statement that changes nothing. It begins again also where the connection was lost. */
  read(statement: Statement, values: unknown[]): Promise<readonly Row[]> {
    return this.use((connection) => this.#run(connection, statement, values));
  }

  /**
   * A statement that writes, and whose second writing nobody could tell from the first. It begins again only where the server
   * undid it, or where there was no connection to send it on.
   */
  writeOnce(statement: Statement, values: unknown[]): Promise<readonly Row[]> {
    return this.#again(
      (connection) => this.#run(connection, statement, values),
      () => false,
    );
  }

  /**
   * A statement that writes. It begins again also where its connection was lost, and then it may have been written before. The
   * rows are those of the last time; the caller must be able to tell by them, or by the session's row.
   */
  async write(statement: Statement, values: unknown[]): Promise<Written> {
    let sentAgain = false;
    const rows = await this.#again(
      (connection) => this.#run(connection, statement, values),
      (error) => {
        sentAgain ||= isLost(error);
        return isLost(error);
      },
    );
    return { rows, sentAgain };
  }

  /** Several statements on one connection. They begin again where it was lost. */
  use<Output>(work: (connection: Connection) => Promise<Output>): Promise<Output> {
    return this.#again(work, isLost);
  }

  async #again<Output>(
    work: (connection: Connection) => Promise<Output>,
    maybeDone: (error: unknown) => boolean,
  ): Promise<Output> {
    for (let tries = 1; ; tries += 1) {
      let connection: Connection | null = null;
      // Without a connection nothing was sent.
      let mayRepeat = isLost;
      try {
        connection = await this.#connect();
        mayRepeat = (error) => isUndone(error) || maybeDone(error);
        const output = await work(connection);
        connection.release();
        return output;
      } catch (error) {
        // It may be lost, busy still or in a transaction that has failed.
        connection?.release(true);
        const pauseMs = retryAfterMs(tries);
        if (pauseMs === null || !mayRepeat(error)) throw error;
        await pause(Math.min(pauseMs, this.#left()));
      }
    }
  }

  /** The limit of the store's own pool is exact for the first connection of a step, and too long for any other. */
  #connect(): Promise<Connection> {
    const connecting = this.#openConnection();
    if (!this.#isBounded) return within(this.#left(), connecting);
    this.#isBounded = false;
    return connecting;
  }

  async #run(connection: Connection, statement: Statement, values: unknown[]): Promise<readonly Row[]> {
    const answer = await connection.query({ ...statement, values, query_timeout: this.#left() });
    return answer.rows;
  }

  /** Milliseconds, at least one: to `pg` none means for ever. */
  #left(): number {
    return Math.max(1, Math.ceil(this.#endsAt - performance.now()));
  }
}

/** A connection that comes too late goes back to the pool. */
function within(ms: number, connecting: Promise<Connection>): Promise<Connection> {
  return new Promise((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      reject(new Error("There was no free connection to PostgreSQL in time."));
    }, ms);
    connecting.then(
      (connection) => {
        clearTimeout(timer);
        if (late) connection.release();
        else resolve(connection);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
