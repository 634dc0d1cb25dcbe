import { setTimeout } from "node:timers/promises";
import { REDIS_RETRY_MS, REDIS_TRIES } from "../../limits.ts";
import { DurableBatches } from "./batches.ts";
import { type CheckedConnection, Line, Node, type NodeOptions } from "./connections.ts";
import { type Deadline, inTime } from "./deadline.ts";
import { type Argument, loadDriver, type Reply } from "./driver.ts";
import { isLostInFlight, isNotBegun, isOfConnection, ServerFault } from "./faults.ts";
import type { Script } from "./steps.ts";

export interface Answer {
  readonly reply: Reply;
  /** It was sent again after a connection was lost, so that the answer may be to its second time. */
  readonly resent: boolean;
}

/** Runs steps, each within its time, and again where it is safe: a bounded number of times. */
export class StepRunner {
  readonly #node: Node;
  readonly #line: Line;
  readonly #batches: DurableBatches;
  #driver: Promise<unknown> | null = null;

  constructor(options: NodeOptions) {
    this.#node = new Node(options);
    this.#line = new Line(this.#node);
    this.#batches = new DurableBatches(this.#node);
  }

  get node(): Node {
    return this.#node;
  }

  /** @throws ServerFault, ConnectionFault, StepTimeout, UnfitServer */
  run(script: Script, keys: readonly Argument[], values: readonly Argument[]): Promise<Answer> {
    const rest = [`${keys.length}`, ...keys, ...values];
    return this.#again(script.repeatable, (deadline) => this.#runScript(script, rest, deadline));
  }

  /** A single command that changes nothing. @throws as `run` does */
  async read(command: readonly Argument[]): Promise<Reply> {
    return (await this.#again(true, (deadline) => this.#send(command, false, deadline))).reply;
  }

  async close(): Promise<void> {
    await Promise.all([this.#line.close(), this.#batches.close()]);
  }

  /** Before the time of a step begins. Where it failed, the next step tries again. */
  #loadDriver(): Promise<unknown> {
    this.#driver ??= loadDriver().catch((error: unknown) => {
      this.#driver = null;
      throw error;
    });
    return this.#driver;
  }

  async #again(repeatable: boolean, attempt: (deadline: Deadline) => Promise<Reply>): Promise<Answer> {
    await this.#loadDriver();
    return inTime(async (deadline) => {
      let resent = false;
      for (let tries = 1; ; tries += 1) {
        try {
          return { reply: await attempt(deadline), resent };
        } catch (error) {
          const lost = isLostInFlight(error);
          if (tries === REDIS_TRIES || deadline.isOver) throw error;
          if (!isNotBegun(error) && !(lost && repeatable)) throw error;
          resent ||= lost;
        }
        await setTimeout(REDIS_RETRY_MS * 2 ** (tries - 1));
        if (deadline.isOver) throw new Error("The step's time is over.");
      }
    });
  }

  /** By its hash; by its text where the server has not seen it yet, or not since it started. */
  async #runScript(
    { sha, text, durable }: Script,
    rest: readonly Argument[],
    deadline: Deadline,
  ): Promise<Reply> {
    try {
      return await this.#send(["EVALSHA", sha, ...rest], durable, deadline);
    } catch (error) {
      if (!(error instanceof ServerFault) || error.code !== "NOSCRIPT") throw error;
      return this.#send(["EVAL", text, ...rest], durable, deadline);
    }
  }

  async #send(command: readonly Argument[], durable: boolean, deadline: Deadline): Promise<Reply> {
    let used: { connection: CheckedConnection; line: Line } | null = null;
    const leave = () => used?.line.leave(used.connection);
    deadline.whenOver(leave);
    try {
      const connection = await this.#line.connection();
      if (durable && connection.waitsForDisk) {
        return await this.#batches.send(command, (connection, line) => {
          used = { connection, line };
        });
      }
      used = { connection, line: this.#line };
      return await connection.send(command);
    } catch (error) {
      if (isOfConnection(error)) {
        this.#node.follow(error);
        leave();
      }
      throw error;
    } finally {
      used = null;
    }
  }
}
