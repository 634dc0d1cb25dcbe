import { setTimeout } from "node:timers/promises";

import { inRequest } from "../request-context.ts";

/** Runs a task again and again until the returned function is called. How the engine gets its timers. */
export type Every = (intervalMs: number, task: () => Promise<void>) => () => void;

/**
 * Timers that never keep a process alive. A task that fails is left for its next turn: the guarded store has reported
 * the fault, and callers check the age of the last success themselves.
 */
export const everyInterval: Every = (intervalMs, task) => {
  // The later work of a timer is no part of the request that happened to start it.
  const timer = inRequest(undefined, () => setInterval(() => void task().catch(() => {}), intervalMs));
  timer.unref();
  return () => clearInterval(timer);
};

/** Waits. */
export type Pause = (milliseconds: number) => Promise<void>;

export const pauseFor: Pause = (milliseconds) => setTimeout(milliseconds);
