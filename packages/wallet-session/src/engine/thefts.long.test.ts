import { expect, test } from "vitest";
import { playThefts } from "./thefts.fixture.ts";

test.each(["dpop", "device"] as const)(
  "100,000 thefts of bound sessions (%s)",
  { timeout: 600_000 },
  async (kind) => {
    const { tried, codes, ...failures } = await playThefts(kind, 100_000);
    console.log(`${tried} thefts, answered with ${codes.join(", ")}`);
    expect(failures).toEqual({ accepted: 0, sessionsEnded: 0, untold: 0 });
  },
);
