/** Runs a task again and again until the returned function is called. How the engine gets its timers. */
export type Every = (intervalMs: number, task: () => Promise<void>) => () => void;

/**
 * Timers that never keep a process alive. A task that fails is left for its next turn: the guarded store has reported
 * the fault, and whoever depends on the task sees for himself how old its last success is.
 */
export const everyInterval: Every = (intervalMs, task) => {
  const timer = setInterval(() => void task().catch(() => {}), intervalMs);
  timer.unref();
  return () => clearInterval(timer);
};
