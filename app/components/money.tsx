import { amountParts } from "./amount.ts";

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
