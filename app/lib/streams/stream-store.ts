import type { Selectable } from "kysely";
import { Overtaken } from "../sql/database.ts";
import { nextPosition } from "../sql/positions.ts";
import type { Lock, Reader, Tx } from "../sql/schema.ts";
import { MOVES } from "./ledger.ts";
import { roleOf, type Stream, type StreamEvent } from "./stream.ts";
import type { StreamTables } from "./tables.ts";

/** Who or what changes a stream, for its history. */
export interface Cause {
  readonly at: number;
  readonly actorId: string;
  readonly operationId: string | null;
  /** The settlement that the change records. */
  readonly settlementId: string | null;
}

/** A stream and what the actor is to it. Null: there is none, or not for this actor, which is the same to the outside. */
export async function findStream(reader: Reader, id: string, actorId: string, lock?: Lock) {
  const record = await loadStream(reader, id, lock);
  const role = record && roleOf(record.stream, actorId);
  return record && role && { record, role };
}

/** A stream, without a look at who asks. */
export async function loadStream(reader: Reader, id: string, lock?: Lock): Promise<StreamRecord | null> {
  const row = await reader
    .selectFrom("streams")
    .selectAll()
    .where("id", "=", id)
    .$if(lock !== undefined, (query) => query.forNoKeyUpdate())
    .executeTakeFirst();
  return row === undefined ? null : recordOf(row);
}

/** Writes a new stream with the events that made it, in the order of all changes. */
export async function insertStream(
  tx: Tx,
  stream: Stream,
  events: readonly StreamEvent[],
  cause: Cause,
): Promise<StreamRecord> {
  // The row first: ledger and history refer to it.
  const row = { ...columnsOf(stream), pending_settlement: null, version: 1, changed: 0 };
  await tx.insertInto("streams").values(row).execute();
  const changed = await writeEvents(tx, stream.id, events, cause);
  await tx.updateTable("streams").set({ changed }).where("id", "=", stream.id).execute();
  return { stream, version: 1, changed, pendingSettlement: null };
}

/**
 * Writes a changed stream with its events, if nobody else has changed it since it was read; what was pending is recorded by
 * it.
 * @throws Overtaken
 */
export async function updateStream(
  tx: Tx,
  before: StreamRecord,
  stream: Stream,
  events: readonly StreamEvent[],
  cause: Cause,
): Promise<StreamRecord> {
  const changed = await writeEvents(tx, stream.id, events, cause);
  const version = before.version + 1;
  await swap(tx, before, { ...columnsOf(stream), pending_settlement: null, version, changed });
  return { stream, version, changed, pendingSettlement: null };
}

/**
 * Marks a stream with a settlement that is about to be sent; null: with none any more. To the outside nothing has changed.
 * @throws Overtaken
 */
export async function holdStream(tx: Tx, before: StreamRecord, settlementId: string | null): Promise<void> {
  await swap(tx, before, { pending_settlement: settlementId });
}

/** The compare-and-swap behind every change. */
async function swap(tx: Tx, before: StreamRecord, columns: Record<string, unknown>): Promise<void> {
  const { pendingSettlement } = before;
  const { numUpdatedRows } = await tx
    .updateTable("streams")
    .set(columns)
    .where("id", "=", before.stream.id)
    .where("version", "=", BigInt(before.version))
    .where("pending_settlement", pendingSettlement === null ? "is" : "=", pendingSettlement)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) throw new Overtaken();
}

/** Adds to history and ledger, each event at a position of its own. Returns the last position. */
async function writeEvents(
  tx: Tx,
  streamId: string,
  events: readonly StreamEvent[],
  { at, actorId, operationId, settlementId }: Cause,
): Promise<bigint> {
  const last = await nextPosition(tx, events.length);
  const lines = events.map(({ type, entry }, index) => ({
    type,
    entry,
    line: { position: last - BigInt(events.length - 1 - index), stream_id: streamId, at },
  }));
  const history = lines.map(({ line, type, entry }) => ({
    ...line,
    type,
    by_actor: actorId,
    amount: entry?.amount ?? null,
    operation_id: operationId,
  }));
  await tx.insertInto("stream_history").values(history).execute();
  const ledger = lines.flatMap(({ line, entry }) => {
    if (entry === null) return [];
    const { kind, amount } = entry;
    const { from, to } = MOVES[kind];
    const settlement_id = kind === "settlement" ? settlementId : null;
    return { ...line, kind, from_account: from, to_account: to, amount, settlement_id };
  });
  if (ledger.length > 0) await tx.insertInto("stream_ledger").values(ledger).execute();
  return last;
}

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
  const { version, changed, pending_settlement, duration_seconds, elapsed_ms, ...columns } = row;
  const { running_since, created_at, started_at, ended_at, ...same } = columns;
  return {
    stream: {
      ...same,
      durationSeconds: Number(duration_seconds),
      elapsedMs: Number(elapsed_ms),
      runningSince: numberOrNull(running_since),
      createdAt: Number(created_at),
      startedAt: numberOrNull(started_at),
      endedAt: numberOrNull(ended_at),
    },
    version: Number(version),
    changed,
    pendingSettlement: pending_settlement,
  };
}

/** The columns that the stream itself fills. */
function columnsOf(stream: Stream) {
  const { durationSeconds, elapsedMs, runningSince, createdAt, startedAt, endedAt, ...same } = stream;
  return {
    ...same,
    duration_seconds: durationSeconds,
    elapsed_ms: elapsedMs,
    running_since: runningSince,
    created_at: createdAt,
    started_at: startedAt,
    ended_at: endedAt,
  };
}

function numberOrNull(value: bigint | null): number | null {
  return value === null ? null : Number(value);
}
