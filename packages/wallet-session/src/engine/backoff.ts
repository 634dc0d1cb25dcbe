import type { Clock, RandomBytes } from "../clock.ts";

/** The pause after the first failure; then twice that, up to the longest one. */
const SECURITY_EVENTS_RETRY_MS = 1_000;
const SECURITY_EVENTS_RETRY_MAX_MS = 300_000;

/** When to try again after a failure. The pause doubles with each one, up to five minutes; the real wait is half of it to all of it. */
export interface Backoff {
  /** Returns in how many milliseconds it may be tried again. */
  failed(): number;
  succeeded(): void;
  /** Failures since the last success. */
  failures(): number;
  waits(): boolean;
}

export function createBackoff(clock: Clock, random: RandomBytes): Backoff {
  let failures = 0;
  let until = 0;
  return {
    failed() {
      failures += 1;
      const most = Math.min(SECURITY_EVENTS_RETRY_MS * 2 ** (failures - 1), SECURITY_EVENTS_RETRY_MAX_MS);
      const [share = 0] = random(1);
      const delayMs = Math.ceil((most / 2) * (1 + share / 255));
      until = clock.now() + delayMs;
      return delayMs;
    },
    succeeded() {
      failures = 0;
      until = 0;
    },
    failures: () => failures,
    waits() {
      const left = until - clock.now();
      // A clock that was set back must not make the wait longer than the longest one.
      return left > 0 && left <= SECURITY_EVENTS_RETRY_MAX_MS;
    },
  };
}
