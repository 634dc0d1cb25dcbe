import { expect, test } from "vitest";
import { leapClocks } from "../../test/faults/clocks.ts";

// Of these seeds some leap ahead, some back.
test.each(["1", "2", "3", "4"])(
  "clocks that leap by nearly an hour sign nobody out, and let nothing in that has ended (seed %s)",
  async (seed) => {
    const { leaps, refreshes, wrong } = await leapClocks(seed, 250);
    expect(wrong).toEqual([]);
    expect(Math.min(leaps, refreshes)).toBeGreaterThan(0);
  },
);
