import { setImmediate, setTimeout } from "node:timers/promises";

/** Who wants to take a step waits for its turn. First come, first served. */
export interface Pace {
  /** @throws AbortError when `signal` is raised first */
  turn(signal: AbortSignal): Promise<void>;
}

const SECOND_MS = 1_000;
/** Turns that were due this long ago are still given: timers are late by a little. */
const CATCH_UP_MS = 50;

/** At most so many turns a second, evenly spread. Between two turns the event loop always comes round. */
export function createPace(perSecond: number, monotonicNow: () => number = () => performance.now()): Pace {
  const interval = SECOND_MS / perSecond;
  let next = 0;
  return {
    async turn(signal) {
      const now = monotonicNow();
      const mine = Math.max(next, now - CATCH_UP_MS);
      next = mine + interval;
      const wait = mine - now;
      if (wait >= 1) await setTimeout(wait, undefined, { signal });
      else await setImmediate(undefined, { signal });
    },
  };
}
