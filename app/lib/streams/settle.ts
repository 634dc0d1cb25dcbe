import type { RandomBytes } from "wallet-session";
import type { Tx } from "../sql/schema.ts";
import type { Stroops } from "./money.ts";
import {
  concludeSettlement,
  pendingSettlement,
  prepareSettlement,
  settlementIn,
} from "./pending-settlement.ts";
import type { Sent, Settlement, SettlementRefusal } from "./settlement.ts";
import { findStreamForUpdate } from "./stream-store.ts";
import { transition } from "./transitions.ts";

export interface SettleRequest {
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
  const found = await findStreamForUpdate(tx, streamId, actorId);
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
