import { expect, test } from "vitest";
import { durationText } from "./time.tsx";

test.each([
  [0, "0 s"],
  [-5, "0 s"],
  [59.9, "59 s"],
  [60, "1 min"],
  [725, "12 min 5 s"],
  [3_605, "1 h"],
  [86_400 + 3_600 * 4, "1 d 4 h"],
  [315_360_000, "3,650 d"],
])("%d seconds are %s", (seconds, text) => {
  expect(durationText(seconds)).toBe(text);
});
