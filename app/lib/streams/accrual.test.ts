import fc from "fast-check";
import { expect, test } from "vitest";
import { type Activity, accruedFor, countedUntil, elapsedAt, runsOutAt } from "./accrual.ts";
import { AMOUNT_MAX_STROOPS, DURATION_MAX_SECONDS, DURATION_MIN_SECONDS } from "./limits.ts";

const HOUR: Activity = { elapsedMs: 0, runningSince: 1_000_000, durationSeconds: 3_600 };

test("active time runs from the start to the end of the duration, and no further", () => {
  expect(elapsedAt(HOUR, 1_000_000)).toBe(0);
  expect(elapsedAt(HOUR, 1_001_500)).toBe(1_500);
  expect(elapsedAt(HOUR, 1_000_000 + 3_600_001)).toBe(3_600_000);
  expect(elapsedAt({ ...HOUR, elapsedMs: 500, runningSince: null }, 9_000_000)).toBe(500);
  expect(runsOutAt({ ...HOUR, elapsedMs: 600_000 })).toBe(1_000_000 + 3_000_000);
  expect(runsOutAt({ ...HOUR, runningSince: null })).toBeNull();
});

test("a clock that is set back takes nothing away, and earns nothing twice when it catches up", () => {
  expect(elapsedAt({ ...HOUR, elapsedMs: 5_000 }, 0)).toBe(5_000);
  const counted = countedUntil(HOUR, 1_060_000);
  const setBack = countedUntil(counted, 1_000_000);
  expect(setBack).toEqual({ ...HOUR, elapsedMs: 60_000, runningSince: 1_060_000 });
  expect(elapsedAt(setBack, 1_060_000)).toBe(60_000);
  expect(elapsedAt(setBack, 1_090_000)).toBe(90_000);
});

test("whole seconds earn, rounded down to a stroop", () => {
  expect(accruedFor(100n, 999, 60)).toBe(0n);
  expect(accruedFor(100n, 1_000, 60)).toBe(1n);
  expect(accruedFor(100n, 59_999, 60)).toBe(98n);
  expect(accruedFor(100n, 60_000, 60)).toBe(100n);
});

test("what is earned rises with time from nothing to exactly the deposit, at the last second alone", () => {
  const seconds = fc.integer({ min: 0, max: DURATION_MAX_SECONDS });
  fc.assert(
    fc.property(
      fc.bigInt({ min: 1n, max: AMOUNT_MAX_STROOPS }),
      fc.integer({ min: DURATION_MIN_SECONDS, max: DURATION_MAX_SECONDS }),
      seconds,
      seconds,
      (deposit, duration, one, other) => {
        const [earlier, later] = [Math.min(one, other, duration), Math.min(Math.max(one, other), duration)];
        const earned = (at: number) => accruedFor(deposit, at * 1_000, duration);
        expect(earned(0)).toBe(0n);
        expect(earned(earlier)).toBeLessThanOrEqual(earned(later));
        expect(earned(duration - 1)).toBeLessThan(deposit);
        expect(earned(duration)).toBe(deposit);
      },
    ),
  );
});
