import { send } from "./command.ts";
import type { StreamsContext } from "./context.ts";
import { concludeSettlement, pendingSettlement } from "./pending-settlement.ts";
import { loadStreamForUpdate } from "./stream-store.ts";

/**
 * Finishes the settlements that single commands have written and not recorded, in a process that has ended or in one that
 * is at it right now. Those of a long operation wait for it, which first looks whether it may go on, unless it was cancelled. What cannot be sent
 * stays, for the next command on its stream, and keeps none of the others.
 * @throws AggregateError with what went wrong, after all have been tried; store_unavailable
 */
export async function finishSettlements(context: StreamsContext): Promise<void> {
  const held = await context.sql.db
    .selectFrom("streams")
    .innerJoin("stream_settlements", "stream_settlements.id", "streams.pending_settlement")
    .leftJoin("operations", "operations.id", "stream_settlements.operation_id")
    .select("streams.id")
    .where("streams.pending_settlement", "is not", null)
    .where(({ eb, or }) =>
      or([eb("stream_settlements.operation_id", "is", null), eb("operations.status", "=", "cancelled")]),
    )
    .execute();
  const faults: unknown[] = [];
  for (const { id } of held) {
    await finish(context, id).catch((fault) => faults.push(fault));
  }
  if (faults.length > 0)
    throw new AggregateError(faults, "Settlements of an earlier run could not be finished.");
}

async function finish({ sql, sender, clock }: StreamsContext, streamId: string): Promise<void> {
  const pending = await sql.write(async (tx) => {
    const record = await loadStreamForUpdate(tx, streamId);
    return record && pendingSettlement(tx, record);
  });
  if (pending === null) return;
  const sent = await send(sender, pending.settlement);
  await sql.write(async (tx) => {
    const record = await loadStreamForUpdate(tx, streamId);
    if (record?.pendingSettlement !== sent.id) return;
    await concludeSettlement(tx, record, pending, sent, { command: "settle", now: clock.now() });
  });
}
