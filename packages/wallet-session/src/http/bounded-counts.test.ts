import { expect, test } from "vitest";
import { createBoundedCounts } from "./bounded-counts.ts";

function counts(maxKeys: number) {
  let nowMs = 0;
  const bounded = createBoundedCounts({ windowMs: 60_000, maxKeys, stopwatch: () => nowMs });
  const add = (key: string, times = 1) => {
    for (let time = 1; time < times; time++) bounded.add(key);
    return bounded.add(key).count;
  };
  return {
    add,
    size: bounded.size,
    leftMs: (key: string) => bounded.add(key).leftMs,
    advance(ms: number) {
      nowMs += ms;
    },
  };
}

test("a key's window begins with its first count and ends by itself", () => {
  const { add, advance, leftMs } = counts(10);
  expect([add("a"), add("a"), add("b")]).toEqual([1, 2, 1]);
  advance(59_999);
  expect(leftMs("a")).toBe(1);
  advance(1);
  expect(add("a")).toBe(1);
});

test("it never holds more keys than it may, and a new key always has a place", () => {
  const { add, size } = counts(100);
  for (let key = 0; key < 1_000; key++) {
    expect(add(`k${key}`)).toBe(1);
    expect(size()).toBeLessThanOrEqual(100);
  }
});

test("it forgets the least counted first, and the worst last", () => {
  const { add } = counts(4);
  add("worst", 500);
  add("bad", 40);
  add("once");
  add("thrice", 3);
  for (let key = 0; key < 50; key++) add(`new ${key}`);
  expect([add("worst"), add("bad"), add("thrice"), add("once")]).toEqual([501, 41, 4, 1]);
});

test("ended windows make room first, whatever was counted in them", () => {
  const { add, advance, size } = counts(3);
  add("ended", 500);
  advance(30_000);
  add("a");
  add("b");
  advance(30_000);
  add("c");
  expect([size(), add("a"), add("b")]).toEqual([3, 2, 2]);
});
