import { setTimeout as pause } from "node:timers/promises";
import { REDIS_RETRY_MS, REDIS_TRIES, STORE_STEP_TIMEOUT_MS } from "../../limits.ts";
import { untilDone } from "../../until-done.ts";
import { createDurableBatches } from "./batches.ts";
import {
  type CheckedConnection,
  createLine,
  createNode,
  type Line,
  type NodeOptions,
} from "./connections.ts";
import { type Argument, loadDriver, type Reply } from "./driver.ts";
import { isLostInFlight, isNotBegun, isOfConnection, ServerFault, StepTimeout } from "./faults.ts";
import type { Script } from "./steps.ts";

export interface Answer {
  readonly reply: Reply;
  /** It was sent again after a connection was lost, so that the answer may be to its second time. */
  readonly resent: boolean;
}

/** Runs steps, each within its time, and again where it is safe: a bounded number of times. */
export function createStepRunner(options: NodeOptions) {
  const node = createNode(options);
  const own = createLine(node);
  const batches = createDurableBatches(node);
  /** Before the time of a step begins. Where it failed, the next step tries again. */
  const driver = untilDone(loadDriver);

  async function again(repeatable: boolean, attempt: (over: AbortSignal) => Promise<Reply>): Promise<Answer> {
    await driver();
    return inTime(async (over) => {
      let resent = false;
      for (let tries = 1; ; tries += 1) {
        try {
          return { reply: await attempt(over), resent };
        } catch (error) {
          const lost = isLostInFlight(error);
          if (tries === REDIS_TRIES || over.aborted) throw error;
          if (!isNotBegun(error) && !(lost && repeatable)) throw error;
          resent ||= lost;
        }
        await pause(REDIS_RETRY_MS * 2 ** (tries - 1));
        if (over.aborted) throw new Error("The step's time is over.");
      }
    });
  }

  async function send(command: readonly Argument[], durable: boolean, over: AbortSignal): Promise<Reply> {
    let used: { connection: CheckedConnection; line: Line } | null = null;
    const leave = () => used?.line.leave(used.connection);
    over.addEventListener("abort", leave);
    try {
      const connection = await own.connection();
      if (durable && connection.waitsForDisk) {
        return await batches.send(command, (connection, line) => {
          used = { connection, line };
        });
      }
      used = { connection, line: own };
      return await connection.send(command);
    } catch (error) {
      if (isOfConnection(error)) {
        node.follow(error);
        leave();
      }
      throw error;
    } finally {
      used = null;
    }
  }

  return {
    listen: node.listen,
    /** @throws ServerFault, ConnectionFault, StepTimeout, UnfitStore */
    run(script: Script, keys: readonly Argument[], values: readonly Argument[]): Promise<Answer> {
      const { sha, text, durable, repeatable } = script;
      const rest = [`${keys.length}`, ...keys, ...values];
      return again(repeatable, async (over) => {
        // By its hash; by its text where the server has not seen it yet, or not since it started.
        try {
          return await send(["EVALSHA", sha, ...rest], durable, over);
        } catch (error) {
          if (!(error instanceof ServerFault) || error.code !== "NOSCRIPT") throw error;
          return send(["EVAL", text, ...rest], durable, over);
        }
      });
    },
    /** A single command that changes nothing. @throws as `run` does */
    async read(command: readonly Argument[]): Promise<Reply> {
      return (await again(true, (over) => send(command, false, over))).reply;
    },
    async close(): Promise<void> {
      await Promise.all([own.close(), batches.close()]);
    },
  };
}

/**
 * The time that one step has, tries included. The signal says that it is over.
 * @throws StepTimeout when the work takes longer than that
 */
async function inTime<Output>(work: (over: AbortSignal) => Promise<Output>): Promise<Output> {
  const over = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const end = new Promise<never>((_, reject) => {
    const giveUp = () => {
      over.abort();
      reject(new StepTimeout(`Redis has not answered within ${STORE_STEP_TIMEOUT_MS / 1_000} s.`));
    };
    // Where it was this process that stood still, the answer may be there: what has arrived is read first.
    timer = setTimeout(() => setImmediate(giveUp), STORE_STEP_TIMEOUT_MS);
  });
  try {
    return await Promise.race([work(over.signal), end]);
  } finally {
    clearTimeout(timer);
  }
}
