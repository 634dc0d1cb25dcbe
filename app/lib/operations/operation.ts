import { isoTime, isoTimeOrNull } from "../http/iso-time.ts";
import { formatAmount } from "../streams/money.ts";
import { RATE_STALE_MS } from "./limits.ts";
import type { Failure, OperationRow, OperationStatus } from "./tables.ts";

/** An operation as its owner sees it: what the API tells, and what the pages read. */
export function operationJson(row: OperationRow, now: number) {
  return {
    id: row.id,
    type: row.type,
    status: row.status,
    pause_reason: row.pause_reason,
    /** The session under whose grant it runs. */
    session_id: row.session_id,
    total: Number(row.total),
    done: Number(row.done),
    skipped: Number(row.skipped),
    failed: Number(row.failed),
    /** The first 20 of them. */
    failures: failuresOf(row),
    settled_amount: formatAmount(BigInt(row.settled_amount)),
    rate_per_second: rateAt(row, now),
    created_at: isoTime(row.created_at),
    updated_at: isoTime(row.updated_at),
    started_at: isoTimeOrNull(row.started_at),
    finished_at: isoTimeOrNull(row.finished_at),
    paused_at: isoTimeOrNull(row.paused_at),
    /** When the session under which it ran was ended, and so no later than `paused_at`: one signed in since may resume it. */
    grant_ended_at: isoTimeOrNull(row.grant_ended_at),
    version: Number(row.version),
  };
}

export function failuresOf({ failures }: Pick<OperationRow, "failures">): readonly Failure[] {
  return JSON.parse(failures);
}

/** True when no step will follow any more. */
export function isFinal(status: OperationStatus): boolean {
  return status === "completed" || status === "cancelled";
}

/** With one digit after the point. Null while it does not run, or has not got on for a while. */
function rateAt(
  { status, rate_milli: rate, updated_at: updatedAt }: OperationRow,
  now: number,
): number | null {
  if (status !== "running" || rate === null || now - Number(updatedAt) > RATE_STALE_MS) return null;
  return Math.round(Number(rate) / 100) / 10;
}
