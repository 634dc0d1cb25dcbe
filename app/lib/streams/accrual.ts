import type { Stroops } from "./money.ts";

const MS_PER_SECOND = 1_000;

/** How long a stream has been active: what was counted so far, and since when it goes on. Milliseconds. */
export interface Activity {
  readonly elapsedMs: number;
  /** Null while it stands still. */
  readonly runningSince: number | null;
  readonly durationSeconds: number;
}

/**
 * Active time until `now`, in milliseconds: never less than what was counted before, even when the clock was set back
 * since, and never more than the duration.
 */
export function elapsedAt({ elapsedMs, runningSince, durationSeconds }: Activity, now: number): number {
  const running = runningSince === null ? 0 : Math.max(0, now - runningSince);
  return Math.min(elapsedMs + running, durationSeconds * MS_PER_SECOND);
}

/** What that much active time earns of a deposit: linear, by whole seconds, rounded down to a stroop. */
export function accruedFor(deposited: Stroops, elapsedMs: number, durationSeconds: number): Stroops {
  return (deposited * BigInt(Math.floor(elapsedMs / MS_PER_SECOND))) / BigInt(durationSeconds);
}

/**
 * The same activity, counted until `now`. The new start never lies before the old one: a clock that was set back must
 * catch up first, so that no second is earned twice.
 */
export function countedUntil<T extends Activity>(activity: T, now: number): T {
  const { runningSince } = activity;
  return {
    ...activity,
    elapsedMs: elapsedAt(activity, now),
    runningSince: runningSince === null ? null : Math.max(runningSince, now),
  };
}

/** When all will have been earned, if it goes on as it does; null while it stands still. */
export function runsOutAt({ elapsedMs, runningSince, durationSeconds }: Activity): number | null {
  return runningSince === null ? null : runningSince + durationSeconds * MS_PER_SECOND - elapsedMs;
}
