import { amountText } from "../components/amount.ts";
import { durationText } from "../components/duration.ts";
import { accruedFor } from "../lib/streams/accrual.ts";
import { parseAmount } from "../lib/streams/money.ts";
import { type Draft, durationOf } from "./new-stream.ts";

/** What the figures in the form come to, in words. Nothing while there is nothing to say. */
export function RatePreview({ draft }: { draft: Draft }) {
  const deposit = parseAmount(draft.amount.trim());
  const seconds = durationOf(draft);
  return (
    <p aria-live="polite" className="rounded-xl bg-wash px-4 py-3 text-sm empty:hidden">
      {deposit !== null && seconds !== null && seconds > 0 && (
        <>
          <span className="font-medium tabular-nums">{rateText(deposit, seconds)}</span>, for{" "}
          {durationText(seconds)}.
        </>
      )}
    </p>
  );
}

/** The pace in the largest step that does not go beyond the end: "2.4 XLM each hour". */
function rateText(deposit: bigint, seconds: number): string {
  const [name, length] =
    seconds >= 86_400 * 2 ? ["day", 86_400] : seconds >= 7_200 ? ["hour", 3_600] : (["minute", 60] as const);
  return `About ${amountText(accruedFor(deposit, Number(length) * 1_000, seconds))} XLM each ${name}`;
}
