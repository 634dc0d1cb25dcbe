import { expect, test } from "vitest";
import { playThefts } from "./thefts.fixture.ts";

test.each(["dpop", "device"] as const)(
  "copies of what the owner of a bound session holds and sends (%s)",
  async (kind) => {
    const { tried, codes, ...failures } = await playThefts(kind, 1_500);
    expect(failures).toEqual({ accepted: 0, sessionsEnded: 0, untold: 0 });
    expect(tried).toBeGreaterThanOrEqual(1_500);
    expect(codes).toEqual(
      kind === "dpop" ? ["proof_invalid", "proof_missing", "proof_nonce"] : ["proof_missing", "proof_nonce"],
    );
  },
);
