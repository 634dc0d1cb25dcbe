import { expect, test } from "vitest";
import { Recent } from "./recent.ts";

test("what was set or met lately is there; of all else, no more than the capacity", () => {
  const recent = new Recent<number>(10);
  recent.set("kept", -1);
  for (let n = 0; n < 1_000; n += 1) {
    recent.set(String(n), n);
    expect(recent.get("kept")).toBe(-1);
    expect(recent.get(String(n))).toBe(n);
  }
  const held = Array.from({ length: 1_000 }, (_, n) => recent.get(String(n))).filter((n) => n !== undefined);
  expect(held.length).toBeLessThanOrEqual(10);
  expect(held.length).toBeGreaterThan(0);
});

test("what was deleted is gone, wherever it was", () => {
  const recent = new Recent<number>(4);
  for (const key of ["a", "b", "c"]) recent.set(key, 1);
  for (const key of ["a", "b", "c"]) recent.delete(key);
  expect(["a", "b", "c"].map((key) => recent.get(key))).toEqual([undefined, undefined, undefined]);
});
