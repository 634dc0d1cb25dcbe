import { formatAmount } from "../../lib/streams/money.ts";
import type { StreamCommand } from "../../lib/streams/transitions.ts";
import { amountsAt } from "../accrual.ts";
import type { Stream } from "../stream-data.ts";

/**
 * The stream as it will most likely be once the server has carried out a command: whether it flows. Where money moves,
 * nothing is foreseen: that is shown when it has moved.
 */
export function foreseen(stream: Stream, command: StreamCommand, serverNowMs: number): Stream {
  const { accrued, withdrawable, elapsedSeconds } = amountsAt(stream, serverNowMs);
  const now = {
    accrued: formatAmount(accrued),
    withdrawable: formatAmount(withdrawable),
    elapsed_seconds: elapsedSeconds,
    as_of: new Date(serverNowMs).toISOString(),
  };
  switch (command) {
    case "start":
      return { ...stream, ...now, status: "active" };
    case "pause":
      return { ...stream, ...now, status: "paused", ends_at: null };
    case "settle":
    case "withdraw":
    case "cancel":
      return stream;
  }
}
