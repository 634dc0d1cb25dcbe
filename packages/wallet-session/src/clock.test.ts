import { expect, test } from "vitest";
import { elapsedMs, systemClock, systemRandom } from "./clock.ts";

test("random bytes of the size asked for, none handed out twice, across many pools", () => {
  const seen = new Set<string>();
  for (let n = 0; n < 2_000; n += 1) {
    const bytes = systemRandom(16);
    expect(bytes).toHaveLength(16);
    seen.add(Buffer.from(bytes).toString("hex"));
  }
  expect(seen.size).toBe(2_000);
  expect(systemRandom(100_000)).toHaveLength(100_000);
});

test("random bytes that were handed out stay as they are", () => {
  const first = systemRandom(32);
  const copy = Buffer.from(first);
  for (let n = 0; n < 1_000; n += 1) systemRandom(32);
  expect(copy.equals(first)).toBe(true);
});

test("elapsed time is never negative", () => {
  expect(elapsedMs(1_000, 1_500)).toBe(500);
  expect(elapsedMs(1_500, 1_000)).toBe(0);
  expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1_000);
});
