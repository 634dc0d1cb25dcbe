import type { RandomBytes } from "wallet-session";
import type { Tx } from "../sql/schema.ts";
import { newId } from "./ids.ts";
import type { Stroops } from "./money.ts";
import type { Sent, Settlement, SettlementRefusal } from "./settlement.ts";
import type { Stream, StreamEvent } from "./stream.ts";
import { type Cause, findStream, holdStream, type StreamRecord, updateStream } from "./stream-store.ts";
import { type StreamCommand, transition } from "./transitions.ts";

// A settlement is written, committed, sent, and recorded in a second transaction. Meanwhile it holds its stream: whatever
// else wants to change the stream finishes the settlement first. So a crash at any point loses none and records none
// twice, as long as the sender moves each id once.

/** A settlement that is written and not recorded yet. */
interface PendingSettlement {
  readonly settlement: Settlement;
  /** The instant until which it settles. */
  readonly at: number;
  readonly requestedBy: string;
  readonly operationId: string | null;
}

/** What a transition would move out of escrow for the recipient; null where it moves nothing. */
export function settlementIn(events: readonly StreamEvent[]): Stroops | null {
  return events.find(({ entry }) => entry?.kind === "settlement")?.entry?.amount ?? null;
}

/** The settlement that holds the stream; null where none does. */
export async function pendingSettlement(tx: Tx, record: StreamRecord): Promise<PendingSettlement | null> {
  if (record.pendingSettlement === null) return null;
  const row = await tx
    .selectFrom("stream_settlements")
    .selectAll()
    .where("id", "=", record.pendingSettlement)
    .executeTakeFirstOrThrow();
  return {
    settlement: settlementOf(record.stream, row.id, row.amount),
    at: Number(row.at),
    requestedBy: row.requested_by,
    operationId: row.operation_id,
  };
}

/** Why a settlement was taken back; null where it was not. */
export async function refusalOf(tx: Tx, settlementId: string): Promise<SettlementRefusal | null> {
  const row = await tx
    .selectFrom("stream_settlements")
    .select("refused")
    .where("id", "=", settlementId)
    .executeTakeFirstOrThrow();
  return row.refused;
}

/** Writes a settlement that is to be sent once the transaction is durable, and holds the stream with it. */
export async function prepareSettlement(
  tx: Tx,
  record: StreamRecord,
  amount: Stroops,
  { at, actorId, operationId }: Omit<Cause, "settlementId">,
  random: RandomBytes,
): Promise<Settlement> {
  const settlement = settlementOf(record.stream, newId(random), amount);
  await tx
    .insertInto("stream_settlements")
    .values({
      id: settlement.id,
      stream_id: settlement.streamId,
      amount,
      at,
      requested_by: actorId,
      operation_id: operationId,
    })
    .execute();
  await holdStream(tx, record, settlement.id);
  return settlement;
}

/**
 * Ends a pending settlement as the sender has said: recorded as the whole of `command`, or taken back.
 * @throws Overtaken
 */
export function concludeSettlement(
  tx: Tx,
  record: StreamRecord,
  pending: PendingSettlement,
  sent: Sent,
  whole: { readonly command: StreamCommand; readonly now: number },
): Promise<StreamRecord> {
  return "refused" in sent
    ? takeSettlementBack(tx, record, pending, sent.refused)
    : recordSettlement(tx, record, pending, sent, whole);
}

/** Takes back what the sender has refused for good: no money has moved, and the stream is as it was before. @throws Overtaken */
async function takeSettlementBack(
  tx: Tx,
  record: StreamRecord,
  { settlement }: PendingSettlement,
  refused: SettlementRefusal,
): Promise<StreamRecord> {
  await tx.updateTable("stream_settlements").set({ refused }).where("id", "=", settlement.id).execute();
  await holdStream(tx, record, null);
  return { ...record, pendingSettlement: null };
}

/**
 * Records a settlement that was sent, as the whole of `command`, which it was written for: with a withdrawal the payout,
 * with a cancellation the refund, all as of the instant of the settlement.
 */
async function recordSettlement(
  tx: Tx,
  record: StreamRecord,
  pending: PendingSettlement,
  { reference }: { readonly reference: string | null },
  { command, now }: { readonly command: StreamCommand; readonly now: number },
): Promise<StreamRecord> {
  const { settlement, at, requestedBy, operationId } = pending;
  const result = transition(record.stream, command === "withdraw" ? "recipient" : "sender", command, at);
  if (result.outcome !== "changed" || settlementIn(result.events) !== settlement.amount) {
    throw new Error("A settlement is not what its stream owes at that instant.");
  }
  await tx
    .updateTable("stream_settlements")
    .set({ recorded_at: now, reference })
    .where("id", "=", settlement.id)
    .execute();
  const cause = { at, actorId: requestedBy, operationId, settlementId: settlement.id };
  return updateStream(tx, record, result.stream, result.events, cause);
}

function settlementOf(stream: Stream, id: string, amount: Stroops): Settlement {
  const { sender, recipient, asset } = stream;
  return { id, streamId: stream.id, sender, recipient, amount, asset };
}

interface SettleRequest {
  readonly streamId: string;
  /** Who has asked for the operation. */
  readonly actorId: string;
  readonly operationId: string;
  readonly now: number;
  /** What the sender has acknowledged since the last call; null in the first one. */
  readonly sent: Sent | null;
  /** Whether a settlement may be begun. Without it, only what was sent is recorded, and what holds the stream is named. */
  readonly mayBegin: boolean;
}

export type SettleOutcome =
  /** Written by this transaction, or by an earlier one that was cut off. Commit, send it, and call again with `sent`. */
  | { readonly outcome: "send"; readonly settlement: Settlement }
  /** Settled for this operation, now or before. */
  | { readonly outcome: "settled"; readonly amount: Stroops }
  /** Refused by the sender for good, now or before; no money has moved. */
  | { readonly outcome: "refused"; readonly refused: SettlementRefusal }
  /** There was nothing to settle, the state does not allow it, or the actor has no such stream. */
  | { readonly outcome: "nothing" | "not_possible" | "not_found"; readonly amount: 0n };

/**
 * Settles one stream for a long operation, inside a transaction that may hold other streams and the operation's own
 * progress. For each operation a stream is settled once, however often this is called, also after a crash at any point. A
 * settlement of somebody else that holds the stream is answered with `send` too: it is finished first.
 * @throws Overtaken
 */
export async function settleStream(
  tx: Tx,
  { streamId, actorId, operationId, now, sent, mayBegin }: SettleRequest,
  random: RandomBytes,
): Promise<SettleOutcome> {
  const found = await findStream(tx, streamId, actorId, "for update");
  if (found === null) return { outcome: "not_found", amount: 0n };
  let { record } = found;

  const pending = await pendingSettlement(tx, record);
  if (pending !== null) {
    if (sent?.id !== pending.settlement.id) return { outcome: "send", settlement: pending.settlement };
    record = await concludeSettlement(tx, record, pending, sent, { command: "settle", now });
  }
  const before = await tx
    .selectFrom("stream_settlements")
    .select(["amount", "refused"])
    .where("operation_id", "=", operationId)
    .where("stream_id", "=", streamId)
    .executeTakeFirst();
  if (before !== undefined) {
    const { amount, refused } = before;
    return refused === null ? { outcome: "settled", amount } : { outcome: "refused", refused };
  }

  if (!mayBegin) return { outcome: "not_possible", amount: 0n };
  const result = transition(record.stream, found.role, "settle", now);
  if (result.outcome === "refused") return { outcome: "not_possible", amount: 0n };
  const amount = result.outcome === "unchanged" ? null : settlementIn(result.events);
  if (amount === null) return { outcome: "nothing", amount: 0n };
  const cause = { at: now, actorId, operationId };
  return { outcome: "send", settlement: await prepareSettlement(tx, record, amount, cause, random) };
}
