import fc from "fast-check";
import { expect, test } from "vitest";
import { formatAmount } from "../lib/streams/money.ts";
import { amountParts, amountText, share, stroops } from "./money.tsx";

test("what is shown is what is: no digit is rounded away", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 9_223_372_036_854_775_807n }), (value) => {
      expect(stroops(formatAmount(value))).toBe(value);
      const { units, decimals } = amountParts(value);
      expect(stroops(`${units.replaceAll(",", "")}.${decimals}`)).toBe(value);
      expect(stroops(amountText(value).replaceAll(",", ""))).toBe(value);
    }),
  );
});

test.each([
  [0n, "0"],
  [200_000_000n, "20"],
  [12_505_000_000n, "1,250.5"],
  [1n, "0.0000001"],
  [9_223_372_036_854_775_807n, "922,337,203,685.4775807"],
])("%d stroops read %s", (value, shown) => {
  expect(amountText(value)).toBe(shown);
});

test("a share of nothing is nothing", () => {
  expect(share(5n, 0n)).toBe(0);
  expect(share(1n, 4n)).toBe(0.25);
});
