import { formatAmount, parseAmount, type Stroops } from "../lib/streams/money.ts";

const SIZES = {
  text: { units: "", decimals: "text-muted" },
  large: {
    units: "text-2xl font-semibold tracking-tight",
    decimals: "text-base text-muted",
  },
  hero: {
    units: "text-5xl font-semibold tracking-tighter sm:text-6xl",
    decimals: "text-2xl tracking-tight text-muted sm:text-3xl",
  },
} as const;

interface MoneyProps {
  /** In stroops. */
  value: bigint;
  asset?: string;
  size?: keyof typeof SIZES;
}

/** An amount to its last digit, in figures of one width, so that it can tick without trembling. */
export function Money({ value, asset, size = "text" }: MoneyProps) {
  const { units, decimals } = amountParts(value);
  const { units: unitsLook, decimals: decimalsLook } = SIZES[size];
  return (
    <span className="whitespace-nowrap tabular-nums">
      <span className={unitsLook}>{units}</span>
      <span className={decimalsLook}>.{decimals}</span>
      {asset !== undefined && <span className={`ml-1.5 ${decimalsLook}`}>{asset}</span>}
    </span>
  );
}

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
