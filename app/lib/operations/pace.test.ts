import { expect, test } from "vitest";
import { createPace } from "./worker.ts";

const SIGNAL = new AbortController().signal;

test("turns are spread over the second, for all askers together", async () => {
  const pace = createPace(500);
  const from = performance.now();
  await Promise.all(Array.from({ length: 101 }, () => pace.turn(SIGNAL)));
  // 100 intervals of 2 ms, less 50 ms that the first turns may catch up, and 2 by which a timer of whole milliseconds is early.
  expect(performance.now() - from).toBeGreaterThanOrEqual(148);
});

test("time in which nobody came earns no burst", async () => {
  let now = 0;
  const pace = createPace(1, () => now);
  await pace.turn(SIGNAL);
  now = 1_000_000;
  await pace.turn(SIGNAL);
  const next = new AbortController();
  const waiting = pace.turn(next.signal);
  await new Promise((resolve) => setImmediate(resolve));
  next.abort();
  await expect(waiting).rejects.toThrow("aborted");
});

test("other work gets its turn between two turns", async () => {
  const pace = createPace(1_000, () => 0);
  let ran = false;
  setImmediate(() => {
    ran = true;
  });
  await pace.turn(SIGNAL);
  expect(ran).toBe(true);
});
