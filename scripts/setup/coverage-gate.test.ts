import { globSync } from "node:fs";
import { expect, test } from "vitest";
import config from "../../vitest.config.ts";
import { root } from "./root.mjs";

test("each threshold is about files that exist", () => {
  // Vitest passes over a pattern that matches nothing: a renamed file would leave its gate without a sound.
  const patterns = Object.keys(config.test?.coverage?.thresholds ?? {});
  expect(patterns.length).toBeGreaterThan(0);
  expect(patterns.filter((pattern) => globSync(pattern, { cwd: root }).length === 0)).toEqual([]);
});
