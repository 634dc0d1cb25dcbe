import type { Selectable } from "kysely";
import type { Stream } from "./stream.ts";
import type { StreamTables } from "./tables.ts";

type StreamRow = Selectable<StreamTables["streams"]>;

/** A stream as it is stored. */
export interface StreamRecord {
  readonly stream: Stream;
  /** Rises by 1 with each change. */
  readonly version: number;
  /** The position of its last change in the order of all changes. */
  readonly changed: bigint;
  /** The id of a settlement that is written and not recorded yet. */
  readonly pendingSettlement: string | null;
}

export function recordOf(row: StreamRow): StreamRecord {
  return {
    stream: {
      id: row.id,
      status: row.status,
      sender: row.sender,
      recipient: row.recipient,
      title: row.title,
      asset: row.asset,
      deposited: row.deposited,
      settled: row.settled,
      withdrawn: row.withdrawn,
      refunded: row.refunded,
      durationSeconds: Number(row.duration_seconds),
      elapsedMs: Number(row.elapsed_ms),
      runningSince: numberOrNull(row.running_since),
      createdAt: Number(row.created_at),
      startedAt: numberOrNull(row.started_at),
      endedAt: numberOrNull(row.ended_at),
    },
    version: Number(row.version),
    changed: row.changed,
    pendingSettlement: row.pending_settlement,
  };
}

/** The columns that the stream itself fills. */
export function columnsOf(stream: Stream) {
  return {
    id: stream.id,
    status: stream.status,
    sender: stream.sender,
    recipient: stream.recipient,
    title: stream.title,
    asset: stream.asset,
    deposited: stream.deposited,
    settled: stream.settled,
    withdrawn: stream.withdrawn,
    refunded: stream.refunded,
    duration_seconds: stream.durationSeconds,
    elapsed_ms: stream.elapsedMs,
    running_since: stream.runningSince,
    created_at: stream.createdAt,
    started_at: stream.startedAt,
    ended_at: stream.endedAt,
  };
}

function numberOrNull(value: bigint | null): number | null {
  return value === null ? null : Number(value);
}
