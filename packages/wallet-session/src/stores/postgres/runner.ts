import { setTimeout as pause } from "node:timers/promises";
import { isLost, isUndone, retryAfterMs } from "../../databases/postgres.ts";
import type { Row } from "../sql/rows.ts";
import { RunningSteps } from "../steps.ts";
import {
  type Connection,
  type ConnectionPool,
  openPool,
  type PostgresSource,
  type PostgresTimes,
  type Statement,
} from "./driver.ts";

/** Runs steps on a bounded number of connections. Each of their statements is a transaction of its own. */
export class Runner {
  readonly #source: PostgresSource;
  readonly #times: PostgresTimes;
  readonly #prepare: (connection: Connection) => Promise<void>;
  readonly #steps = new RunningSteps();
  #pool: Promise<ConnectionPool> | null = null;
  #prepared: Promise<void> | null = null;

  /** @param prepare done once before the first step; where it rejects, the step does, and the next one tries again */
  constructor(
    source: PostgresSource,
    times: PostgresTimes,
    prepare: (connection: Connection) => Promise<void> = async () => {},
  ) {
    this.#source = source;
    this.#times = times;
    this.#prepare = prepare;
  }

  get isClosed(): boolean {
    return this.#steps.areOver;
  }

  /** Its time runs from when all is prepared: a migration takes as long as it takes. */
  run<Output>(step: (step: Step) => Promise<Output>): Promise<Output> {
    return this.#steps.run(async () => {
      this.#prepared ??= this.#begin()
        .use(this.#prepare)
        .catch((error: unknown) => {
          this.#prepared = null;
          throw error;
        });
      await this.#prepared;
      return step(this.#begin());
    });
  }

  close(): Promise<void> {
    return this.#steps.close(async () => {
      const pool = await this.#pool?.catch(() => null);
      await pool?.end();
    });
  }

  #begin(): Step {
    return new Step(() => this.#connect(), "url" in this.#source, this.#times.stepMs);
  }

  async #connect(): Promise<Connection> {
    this.#pool ??= openPool(this.#source, this.#times).catch((error: unknown) => {
      this.#pool = null;
      throw error;
    });
    return (await this.#pool).connect();
  }
}

export interface Answer {
  /** Of the last time, where the statement was sent twice. */
  readonly rows: readonly Row[];
  /** Whether it was sent before, on a connection that was lost: the first sending may have written it. */
  readonly sentAgain: boolean;
}

/**
 * The statements of one step share one limit in time. Every wait counts: for a free connection, a new one, each answer, the pause
 * before another try. At the limit the step rejects.
 */
export class Step {
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

  /**
   * Sends a statement. It begins again where the server undid it, where there was no connection to send it on, and, if
   * `whenLost` is `again`, where its connection was lost: then it may have been written before. The caller of such a write must
   * be able to tell by the answer or by the session's row.
   */
  async send(statement: Statement, values: unknown[], whenLost: "again" | "reject"): Promise<Answer> {
    let sentAgain = false;
    const rows = await this.use(
      async (connection) => {
        const answer = await connection.query({ ...statement, values, query_timeout: this.#left() });
        return answer.rows;
      },
      (error) => {
        const again = whenLost === "again" && isLost(error);
        sentAgain ||= again;
        return again;
      },
    );
    return { rows, sentAgain };
  }

  /** Work on one connection. It begins again where the server undid it or `maybeDone` allows it. */
  async use<Output>(
    work: (connection: Connection) => Promise<Output>,
    maybeDone: (error: unknown) => boolean = isLost,
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
