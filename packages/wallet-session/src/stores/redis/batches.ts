import { REDIS_BATCH_CONNECTIONS, REDIS_BATCH_MS, STORE_STEP_TIMEOUT_MS } from "../../limits.ts";
import { type CheckedConnection, createLine, type Line, type Node } from "./connections.ts";
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
export function createDurableBatches(node: Node) {
  const idle: Line[] = [];
  const lines: Line[] = [];
  let jobs: Job[] = [];
  let underWay = 0;
  let timer: NodeJS.Timeout | undefined;

  function next(): void {
    if (jobs.length === 0) return;
    if (underWay === 0) void start();
    else {
      timer ??= setTimeout(() => {
        timer = undefined;
        if (jobs.length > 0 && underWay < REDIS_BATCH_CONNECTIONS) void start();
      }, REDIS_BATCH_MS);
    }
  }

  async function start(): Promise<void> {
    const batch = jobs;
    jobs = [];
    const line = idle.pop() ?? newLine();
    underWay += 1;
    await runBatch(batch, line);
    underWay -= 1;
    idle.push(line);
    next();
  }

  function newLine(): Line {
    const line = createLine(node);
    lines.push(line);
    return line;
  }

  return {
    /** `onSent` is told on which connection, before the answer. */
    send(command: readonly Argument[], onSent: Job["onSent"]): Promise<Reply> {
      return new Promise((resolve, reject) => {
        jobs.push({ command, resolve, reject, onSent });
        if (jobs.length === 1) queueMicrotask(next);
      });
    },
    async close(): Promise<void> {
      clearTimeout(timer);
      await Promise.all(lines.map((line) => line.close()));
    },
  };
}

async function runBatch(jobs: readonly Job[], line: Line): Promise<void> {
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

async function waitForDisk(connection: CheckedConnection): Promise<void> {
  const reply = await connection.send(["WAITAOF", "1", "0", `${STORE_STEP_TIMEOUT_MS}`]);
  if (!Array.isArray(reply) || reply[0] !== 1) throw new Error("Redis has not written to its disk in time.");
}
