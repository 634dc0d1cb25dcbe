import { setTimeout } from "node:timers/promises";

import { inRequest } from "../request-context.ts";

/** Runs a task again and again until the returned function is called. How the engine gets its timers. */
export type Every = (intervalMs: number, task: () => Promise<void>) => () => void;

/**
 * Timers that never keep a process alive. A task that fails is left for its next turn: the guarded store has reported
 * the fault, and whoever depends on the task sees for himself how old its last success is.
 */
export const everyInterval: Every = (intervalMs, task) => {
  // What a timer does later is no part of the request that happened to start it.
  const timer = inRequest(undefined, () => setInterval(() => void task().catch(() => {}), intervalMs));
  timer.unref();
  return () => clearInterval(timer);
};

/** Waits. */
export type Pause = (milliseconds: number) => Promise<void>;

export const pauseFor: Pause = (milliseconds) => setTimeout(milliseconds);
