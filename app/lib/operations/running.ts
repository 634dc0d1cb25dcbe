import { reportFault, sessions } from "../auth.ts";
import { readAppSettings } from "../settings.ts";
import type { StreamsContext } from "../streams/context.ts";
import { createPace, Worker } from "./worker.ts";

// As in db.ts: the copies of this module share one worker.

const WORKER = Symbol.for("streampay.operations-worker");
const shared = globalThis as { [WORKER]?: Worker | undefined };

/** Starts this process's worker. @throws ConfigError */
export function startOperations(context: StreamsContext): void {
  const { settlementsPerSecond } = readAppSettings(process.env);
  shared[WORKER] ??= new Worker({
    ...context,
    standing: (id) => sessions.engine.getSessionStatus(id),
    pace: createPace(settlementsPerSecond),
    onFault: reportFault,
  });
}

/** Lets the worker finish its steps at hand and give its operations to others. */
export async function stopOperations(): Promise<void> {
  const worker = shared[WORKER];
  shared[WORKER] = undefined;
  await worker?.stop();
}

/** To be called when an operation was accepted or resumed. */
export function wakeOperations(): void {
  shared[WORKER]?.wake();
}
