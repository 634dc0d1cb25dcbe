import { REDIS_BATCH_CONNECTIONS, REDIS_BATCH_MS, STORE_STEP_TIMEOUT_MS } from "../../limits.ts";
import { type CheckedConnection, Line, type Node } from "./connections.ts";
import type { Argument, Reply } from "./driver.ts";

interface Job {
  readonly command: readonly Argument[];
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
  readonly onSent: (connection: CheckedConnection, line: Line) => void;
}

/**
 * Writes that are acknowledged only once they are on disk. All that come at one moment go in one batch with one WAITAOF
 * behind them, in one round trip. A connection that waits for the disk does nothing else, so a batch has one to itself:
 * where the disk is quick, each batch takes what has come during the last one; where it is written once a second, the
 * next one starts on another connection.
 */
export class DurableBatches {
  readonly #idle: Line[] = [];
  readonly #lines: Line[] = [];
  readonly #node: Node;
  #jobs: Job[] = [];
  #underWay = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(node: Node) {
    this.#node = node;
  }

  /** `onSent` is told on which connection, before the answer. */
  send(command: readonly Argument[], onSent: Job["onSent"]): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#jobs.push({ command, resolve, reject, onSent });
      if (this.#jobs.length === 1) queueMicrotask(() => this.#next());
    });
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    await Promise.all(this.#lines.map((line) => line.close()));
  }

  #next(): void {
    if (this.#jobs.length === 0) return;
    if (this.#underWay === 0) this.#start();
    else {
      this.#timer ??= setTimeout(() => {
        this.#timer = null;
        if (this.#jobs.length > 0 && this.#underWay < REDIS_BATCH_CONNECTIONS) this.#start();
      }, REDIS_BATCH_MS);
    }
  }

  async #start(): Promise<void> {
    const jobs = this.#jobs;
    this.#jobs = [];
    const line = this.#idle.pop() ?? this.#newLine();
    this.#underWay += 1;
    await this.#run(jobs, line);
    this.#underWay -= 1;
    this.#idle.push(line);
    this.#next();
  }

  async #run(jobs: readonly Job[], line: Line): Promise<void> {
    let connection: CheckedConnection;
    try {
      connection = await line.connection();
    } catch (error) {
      for (const { reject } of jobs) reject(error);
      return;
    }
    const answers = jobs.map(({ command, onSent }) => {
      onSent(connection, line);
      return connection.send(command);
    });
    const [onDisk, ...outcomes] = await Promise.allSettled([waitForDisk(connection), ...answers]);
    if (onDisk.status === "rejected") line.leave(connection);
    for (const [index, outcome] of outcomes.entries()) {
      const job = jobs[index];
      if (outcome.status === "rejected") job?.reject(outcome.reason);
      else if (onDisk.status === "rejected") job?.reject(onDisk.reason);
      else job?.resolve(outcome.value);
    }
  }

  #newLine(): Line {
    const line = new Line(this.#node);
    this.#lines.push(line);
    return line;
  }
}

async function waitForDisk(connection: CheckedConnection): Promise<void> {
  const reply = await connection.send(["WAITAOF", "1", "0", `${STORE_STEP_TIMEOUT_MS}`]);
  if (!Array.isArray(reply) || reply[0] !== 1) throw new Error("Redis has not written to its disk in time.");
}
