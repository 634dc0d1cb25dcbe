import { AMOUNT_MAX_STROOPS, STROOPS_PER_UNIT } from "./limits.ts";

/** An amount in the asset's smallest unit: a whole number, never a floating-point one. */
export type Stroops = bigint;

const AMOUNT = /^(\d{1,12})(?:\.(\d{1,7}))?$/;
const FRACTION_DIGITS = 7;

/** The amount that a decimal text names; null unless it is above 0, has 7 digits after the point at most, and fits 64 bits. */
export function parseAmount(text: string): Stroops | null {
  const [, units, fraction = ""] = AMOUNT.exec(text) ?? [];
  if (units === undefined) return null;
  const amount = BigInt(units) * STROOPS_PER_UNIT + BigInt(fraction.padEnd(FRACTION_DIGITS, "0"));
  return amount > 0n && amount <= AMOUNT_MAX_STROOPS ? amount : null;
}

/** An amount of 0 or more, always with 7 digits after the point: "12.5000000". */
export function formatAmount(amount: Stroops): string {
  const fraction = String(amount % STROOPS_PER_UNIT).padStart(FRACTION_DIGITS, "0");
  return `${amount / STROOPS_PER_UNIT}.${fraction}`;
}
