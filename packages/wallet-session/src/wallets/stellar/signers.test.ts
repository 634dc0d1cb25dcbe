import { describe, expect, it } from "vitest";
import { satisfies, signingRule } from "./answer.ts";
import { ALICE } from "./wallet.fixture.ts";

describe("satisfies", () => {
  it("takes a signature even where the threshold is 0", () => {
    const signers = [{ key: ALICE.publicKey(), weight: 1 }];
    const rule = signingRule(ALICE.publicKey(), { exists: true, mediumThreshold: 0, signers }, []);
    expect(satisfies(rule, Buffer.alloc(32), [])).toBe(false);
  });
});
