import { type Connection, type ConnectionPool, openPool } from "./driver.ts";
import { StepRunner } from "./runner.ts";

/** Runs single statements, each a transaction of its own, on a bounded number of connections. */
export class Connections {
  readonly #url: string;
  #pool: Promise<ConnectionPool> | null = null;

  constructor(url: string) {
    this.#url = url;
  }

  /** A step, whose time runs from now. */
  begin(): StepRunner {
    return new StepRunner(() => this.#connect());
  }

  /** Waits for the statements that are under way. */
  async close(): Promise<void> {
    const pool = await this.#pool?.catch(() => null);
    await pool?.end();
  }

  async #connect(): Promise<Connection> {
    this.#pool ??= openPool(this.#url).catch((error: unknown) => {
      this.#pool = null;
      throw error;
    });
    return (await this.#pool).connect();
  }
}
