import type { Reader } from "../sql/schema.ts";
import { HISTORY_SHOWN } from "./limits.ts";
import { formatAmount } from "./money.ts";
import { isoTime } from "./view.ts";

/** What has happened to a stream, newest first. */
export async function historyView(reader: Reader, streamId: string) {
  const lines = await reader
    .selectFrom("stream_history")
    .selectAll()
    .where("stream_id", "=", streamId)
    .orderBy("position", "desc")
    .limit(HISTORY_SHOWN)
    .execute();
  return lines.map(({ position, at, type, by_actor, amount, operation_id }) => ({
    id: Number(position),
    at: isoTime(Number(at)),
    type,
    by: by_actor,
    amount: amount === null ? null : formatAmount(amount),
    operation_id,
  }));
}
