import fc from "fast-check";
import { expect, test } from "vitest";
import { AMOUNT_MAX_STROOPS } from "./limits.ts";
import { formatAmount, parseAmount } from "./money.ts";

test.each([
  ["1", 10_000_000n],
  ["12.5", 125_000_000n],
  ["0.0000001", 1n],
  ["012.50", 125_000_000n],
  ["0.1", 1_000_000n],
  ["922337203685.4775807", AMOUNT_MAX_STROOPS],
])("%s is %s stroops", (text, stroops) => {
  expect(parseAmount(text)).toBe(stroops);
});

test.each([
  "",
  "0",
  "0.0000000",
  "-1",
  "+1",
  "1.",
  ".5",
  "1e3",
  "0x10",
  "1,5",
  " 1",
  "1\n",
  "1.00000001",
  "922337203685.4775808",
  "1000000000000",
  "٣",
  "NaN",
])("%j is no amount", (text) => {
  expect(parseAmount(text)).toBeNull();
});

test("every amount is read back as it was written, with 7 digits after the point", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: AMOUNT_MAX_STROOPS }), (amount) => {
      const text = formatAmount(amount);
      expect(text).toMatch(/^\d+\.\d{7}$/);
      expect(parseAmount(text)).toBe(amount);
    }),
  );
  expect(formatAmount(0n)).toBe("0.0000000");
});
