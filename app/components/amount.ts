import { formatAmount, parseAmount, type Stroops } from "../lib/streams/money.ts";

/** The stroops of an amount as the server writes it. */
export function stroops(amount: string): Stroops {
  return parseAmount(amount) ?? 0n;
}

/** The parts of an amount for the eye: grouped units, and the decimals in full. */
export function amountParts(value: Stroops): { units: string; decimals: string } {
  const [units = "", decimals = ""] = formatAmount(value).split(".");
  return { units: BigInt(units).toLocaleString("en"), decimals };
}

/** In text: "1,250.5", "0.0000001", "20". Exact: only closing zeros are left out. */
export function amountText(value: Stroops): string {
  const { units, decimals } = amountParts(value);
  const significant = decimals.replace(/0+$/, "");
  return significant === "" ? units : `${units}.${significant}`;
}

/** How much of `whole` is `part`, from 0 to 1, for bars and charts alone: nothing is counted with it. */
export function share(part: Stroops, whole: Stroops): number {
  return whole === 0n ? 0 : Number((part * 1_000_000n) / whole) / 1_000_000;
}
