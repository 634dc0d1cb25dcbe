import { expect, onTestFinished, test, vi } from "vitest";
import { createGathering } from "./use-stream-list.ts";

function open() {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const done: string[] = [];
  const { run, drop } = createGathering(700, 3_000);
  return { done, want: (name: string) => run(() => done.push(name)), drop };
}

test("what comes within a moment is done once, as it was wanted last", () => {
  const { done, want } = open();
  want("a");
  vi.advanceTimersByTime(600);
  want("b");
  vi.advanceTimersByTime(699);
  expect(done).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(done).toEqual(["b"]);
  vi.advanceTimersByTime(10_000);
  expect(done).toEqual(["b"]);
});

test("news that never pauses does not put it off for ever", () => {
  const { done, want } = open();
  for (let n = 1; n <= 100; n += 1) {
    want(`${n}`);
    vi.advanceTimersByTime(100);
  }
  // After 3 s, and 3 s after the first that came then.
  expect(done).toEqual(["30", "60", "90"]);
});

test("what is dropped is not done, and what comes then has its own time", () => {
  const { done, want, drop } = open();
  want("a");
  vi.advanceTimersByTime(500);
  drop();
  vi.advanceTimersByTime(10_000);
  expect(done).toEqual([]);
  want("b");
  vi.advanceTimersByTime(700);
  expect(done).toEqual(["b"]);
});
