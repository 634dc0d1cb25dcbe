// Requests that a proxy in front may read otherwise: each is refused, or understood as one request and no more.
import { describe, expect, test } from "vitest";
import { startServe } from "../support/app-server.ts";
import { appUnderTest } from "../support/app-under-test.ts";
import { faultOfTarget, HOSTILE_TARGETS, outcomeOf, SHAPES } from "../support/smuggling.ts";

const app = appUnderTest();
const service = appUnderTest(() => ({}), startServe);

describe.each([
  ["the app", () => app.server],
  ["serve", () => service.server],
] as const)("%s", (_, server) => {
  test.each(SHAPES)("hears one request in $name", async (shape) => {
    expect(await outcomeOf(server().address, shape)).toBe(shape.outcome);
  });

  test.each(HOSTILE_TARGETS)("is not led elsewhere by the target %j", async (target) => {
    expect(await faultOfTarget(server().address, target)).toBeNull();
  });
});
