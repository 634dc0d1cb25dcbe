import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BROWSERS, history, live } from "./weather.fixture.ts";

/** The same histories each time. `weather.long.test.ts` tries new ones. */
const SEED = 32;

describe.each(BROWSERS)("channels $channels, locks $locks", (parts) => {
  test("nobody is signed out, and all agree in the end", async () => {
    await fc.assert(
      fc.asyncProperty(history, async (one) => void (await live(parts, one))),
      { seed: SEED, numRuns: 25 },
    );
  });

  test("a history repeats itself turn by turn", async () => {
    for (const one of fc.sample(history, { seed: SEED, numRuns: 2 })) {
      expect(await live(parts, one)).toEqual(await live(parts, one));
    }
  });
});
