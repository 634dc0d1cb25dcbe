import { stroops } from "../components/amount.ts";
import { accruedFor } from "../lib/streams/accrual.ts";
import type { Stream } from "./stream-data.ts";

/** What a stream amounts to at one moment, in stroops. */
export interface StreamAmounts {
  readonly elapsedSeconds: number;
  readonly deposited: bigint;
  readonly accrued: bigint;
  readonly settled: bigint;
  readonly withdrawn: bigint;
  readonly withdrawable: bigint;
  /** Earned and not settled yet. */
  readonly due: bigint;
  readonly refunded: bigint;
  readonly remaining: bigint;
}

/**
 * The amounts at `serverNowMs`, by the server's own rule: whole active seconds, rounded down to the stroop, never more
 * than the deposit. Before the moment that the answer speaks of, they are as it says.
 */
export function amountsAt(stream: Stream, serverNowMs: number): StreamAmounts {
  const elapsedSeconds = elapsedAt(stream, serverNowMs);
  const deposited = stroops(stream.deposited);
  const withdrawn = stroops(stream.withdrawn);
  const settled = stroops(stream.settled);
  const told = stroops(stream.accrued);
  const computed = accruedFor(deposited, elapsedSeconds * 1_000, stream.duration_seconds);
  const accrued = stream.status === "active" && computed > told ? computed : told;
  return {
    elapsedSeconds,
    deposited,
    accrued,
    settled,
    withdrawn,
    withdrawable: accrued - withdrawn,
    due: accrued - settled,
    refunded: stroops(stream.refunded),
    remaining: stroops(stream.remaining),
  };
}

function elapsedAt(stream: Stream, serverNowMs: number): number {
  if (stream.status !== "active") return stream.elapsed_seconds;
  const since = Math.max(0, Math.floor((serverNowMs - Date.parse(stream.as_of)) / 1_000));
  return Math.min(stream.duration_seconds, stream.elapsed_seconds + since);
}
