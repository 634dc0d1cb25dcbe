import fc from "fast-check";
import { test } from "vitest";
import { BROWSERS, history, live } from "./weather.fixture.ts";

// New histories each time. A failure prints `seed` and `path`; given to `fc.assert` they bring it back.
test.each(BROWSERS)(
  "channels $channels, locks $locks: nobody is signed out in new histories",
  async (parts) => {
    await fc.assert(
      fc.asyncProperty(history, async (one) => void (await live(parts, one))),
      { numRuns: 500 },
    );
  },
  600_000,
);
