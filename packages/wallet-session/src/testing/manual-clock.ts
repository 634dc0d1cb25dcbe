import type { Clock } from "../clock.ts";

/** A clock that stands still until it is moved. */
export interface ManualClock extends Clock {
  advance(ms: number): void;
}

/** Starts at an arbitrary moment with milliseconds in it, so that rounding shows. */
export function createManualClock(startMs = 1_790_000_000_123): ManualClock {
  let now = startMs;
  return {
    now: () => now,
    advance(ms) {
      now += ms;
    },
  };
}
