import { type Connection, type ConnectionPool, openPool, type PostgresSource } from "./driver.ts";
import { StepRunner } from "./runner.ts";
import type { PostgresTimes } from "./times.ts";

/** Runs single statements, each a transaction of its own, on a bounded number of connections. */
export class Connections {
  readonly #source: PostgresSource;
  readonly #times: PostgresTimes;
  #pool: Promise<ConnectionPool> | null = null;

  constructor(source: PostgresSource, times: PostgresTimes) {
    this.#source = source;
    this.#times = times;
  }

  /** A step, whose time runs from now. */
  begin(): StepRunner {
    const isBounded = "url" in this.#source;
    return new StepRunner(() => this.#connect(), isBounded, this.#times.stepMs);
  }

  /** Waits for the statements that are under way. */
  async close(): Promise<void> {
    const pool = await this.#pool?.catch(() => null);
    await pool?.end();
  }

  async #connect(): Promise<Connection> {
    this.#pool ??= openPool(this.#source, this.#times).catch((error: unknown) => {
      this.#pool = null;
      throw error;
    });
    return (await this.#pool).connect();
  }
}
