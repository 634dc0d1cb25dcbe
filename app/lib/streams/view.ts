import { type Answer, jsonAnswer, versionTag } from "../http/answer.ts";
import { isoTime, isoTimeOrNull } from "../http/iso-time.ts";
import type { Reader } from "../sql/schema.ts";
import { elapsedAt, runsOutAt } from "./accrual.ts";
import { remainingOf } from "./ledger.ts";
import { HISTORY_SHOWN } from "./limits.ts";
import { formatAmount } from "./money.ts";
import { accruedAt, type Role, type Stream } from "./stream.ts";
import type { StreamRecord } from "./stream-store.ts";

/** What grows by itself while a stream is active. */
export function accrualView(stream: Stream, now: number) {
  const accrued = accruedAt(stream, now);
  return {
    accrued: formatAmount(accrued),
    withdrawable: formatAmount(accrued - stream.withdrawn),
    elapsed_seconds: Math.floor(elapsedAt(stream, now) / 1_000),
    as_of: isoTime(now),
  };
}

/** A stream as one of its two sides sees it (docs/streams.md). Does NOT check that the actor is one of them. */
export function streamView({ stream, version }: StreamRecord, actorId: string, now: number) {
  const role: Role = stream.sender === actorId ? "sender" : "recipient";
  return {
    id: stream.id,
    status: stream.status,
    sender: stream.sender,
    recipient: stream.recipient,
    role,
    title: stream.title,
    asset: stream.asset,
    deposited: formatAmount(stream.deposited),
    settled: formatAmount(stream.settled),
    withdrawn: formatAmount(stream.withdrawn),
    refunded: formatAmount(stream.refunded),
    remaining: formatAmount(remainingOf(stream)),
    duration_seconds: stream.durationSeconds,
    ...accrualView(stream, now),
    created_at: isoTime(stream.createdAt),
    started_at: isoTimeOrNull(stream.startedAt),
    ends_at: isoTimeOrNull(runsOutAt(stream)),
    ended_at: isoTimeOrNull(stream.endedAt),
    version,
  };
}

/** A stream as an answer, with its version as the ETag. */
export function streamAnswer(
  record: StreamRecord,
  actorId: string,
  now: number,
  { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> } = {},
): Answer {
  return jsonAnswer(streamView(record, actorId, now), status, {
    ...headers,
    ETag: versionTag(record.version),
  });
}

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
    at: isoTime(at),
    type,
    by: by_actor,
    amount: amount === null ? null : formatAmount(amount),
    operation_id,
  }));
}
