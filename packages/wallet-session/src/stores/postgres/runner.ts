import { setTimeout as pause } from "node:timers/promises";
import { isLost, isUndone, retryAfterMs } from "../../databases/postgres.ts";
import { untilDone } from "../../until-done.ts";
import type { Row } from "../sql/rows.ts";
import { createRunningSteps } from "../steps.ts";
import {
  type Connection,
  type ConnectionPool,
  openPool,
  type PostgresSource,
  type PostgresTimes,
  type Statement,
} from "./driver.ts";

/**
 * Runs steps on a bounded number of connections. Each of their statements is a transaction of its own.
 * @param prepare done once before the first step; where it rejects, the step does, and the next one tries again
 */
export function createRunner(
  source: PostgresSource,
  times: PostgresTimes,
  prepare: (connection: Connection) => Promise<void> = async () => {},
) {
  const steps = createRunningSteps();
  let pool: ConnectionPool | null = null;
  const opened = untilDone(async () => (pool = await openPool(source, times)));
  const prepared = untilDone(() => begin().use(prepare));
  const connect = async () => (await opened()).connect();
  const begin = () => createStep(connect, "url" in source, times.stepMs);

  return {
    isClosed: steps.areOver,
    /** Its time runs from when all is prepared: a migration takes as long as it takes. */
    run<Output>(step: (step: Step) => Promise<Output>): Promise<Output> {
      return steps.run(async () => {
        await prepared();
        return step(begin());
      });
    },
    close: () => steps.close(async () => pool?.end()),
  };
}

interface Answer {
  /** Of the last time, where the statement was sent twice. */
  readonly rows: readonly Row[];
  /** Whether it was sent before, on a connection that was lost: the first sending may have written it. */
  readonly sentAgain: boolean;
}

export type Step = ReturnType<typeof createStep>;

/**
 * The statements of one step share one limit in time. Every wait counts: for a free connection, a new one, each answer, the pause
 * before another try. At the limit the step rejects.
 * @param endsByItself whether `openConnection` rejects by itself once it has taken as long as a step may
 */
function createStep(openConnection: () => Promise<Connection>, endsByItself: boolean, stepMs: number) {
  const endsAt = performance.now() + stepMs;
  /** The next attempt to connect ends in time by itself. */
  let isBounded = endsByItself;

  /** Milliseconds, at least one: to `pg` none means for ever. */
  const left = () => Math.max(1, Math.ceil(endsAt - performance.now()));

  /** The limit of the store's own pool is exact for the first connection of a step, and too long for any other. */
  function connect(): Promise<Connection> {
    const connecting = openConnection();
    if (!isBounded) return within(left(), connecting);
    isBounded = false;
    return connecting;
  }

  /** Work on one connection. It begins again where the server undid it or `maybeDone` allows it. */
  async function use<Output>(
    work: (connection: Connection) => Promise<Output>,
    maybeDone: (error: unknown) => boolean = isLost,
  ): Promise<Output> {
    for (let tries = 1; ; tries += 1) {
      let connection: Connection | null = null;
      // Without a connection nothing was sent.
      let mayRepeat = isLost;
      try {
        connection = await connect();
        mayRepeat = (error) => isUndone(error) || maybeDone(error);
        const output = await work(connection);
        connection.release();
        return output;
      } catch (error) {
        // It may be lost, busy still or in a transaction that has failed.
        connection?.release(true);
        const pauseMs = retryAfterMs(tries);
        if (pauseMs === null || !mayRepeat(error)) throw error;
        await pause(Math.min(pauseMs, left()));
      }
    }
  }

  /**
   * Sends a statement. It begins again where the server undid it, where there was no connection to send it on, and, if
   * `whenLost` is `again`, where its connection was lost: then it may have been written before. The caller of such a write must
   * be able to tell by the answer or by the session's row.
   */
  async function send(
    statement: Statement,
    values: unknown[],
    whenLost: "again" | "reject",
  ): Promise<Answer> {
    let sentAgain = false;
    const rows = await use(
      async (connection) => {
        const answer = await connection.query({ ...statement, values, query_timeout: left() });
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

  return { use, send };
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
