import type { Tx } from "../schema.ts";

/**
 * - `changed` is the position of a row's last change; feeds go by it.
 * - A settlement is written before it is sent and recorded after; `streams.pending_settlement` holds the stream meanwhile.
 * - Ledger and history are only ever added to. A line that moved money has the same position in both.
 */
export async function createStreams(tx: Tx): Promise<void> {
  await tx.schema
    .createTable("streams")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("sender", "text", (column) => column.notNull())
    .addColumn("recipient", "text", (column) => column.notNull())
    .addColumn("title", "text")
    .addColumn("asset", "text", (column) => column.notNull())
    .addColumn("status", "text", (column) => column.notNull())
    .addColumn("deposited", "bigint", (column) => column.notNull())
    .addColumn("settled", "bigint", (column) => column.notNull())
    .addColumn("withdrawn", "bigint", (column) => column.notNull())
    .addColumn("refunded", "bigint", (column) => column.notNull())
    .addColumn("duration_seconds", "bigint", (column) => column.notNull())
    .addColumn("elapsed_ms", "bigint", (column) => column.notNull())
    .addColumn("running_since", "bigint")
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("started_at", "bigint")
    .addColumn("ended_at", "bigint")
    .addColumn("pending_settlement", "text")
    .addColumn("version", "bigint", (column) => column.notNull())
    .addColumn("changed", "bigint", (column) => column.notNull())
    .execute();
  for (const party of ["sender", "recipient"] as const) {
    const index = (name: string) => tx.schema.createIndex(`streams_by_${party}_${name}`).on("streams");
    await index("created").columns([party, "created_at", "id"]).execute();
    await index("status").columns([party, "status", "created_at", "id"]).execute();
    await index("changed").columns([party, "changed"]).execute();
  }
  await tx.schema.createIndex("streams_by_changed").on("streams").column("changed").execute();
  await tx.schema
    .createIndex("streams_by_pending_settlement")
    .on("streams")
    .column("pending_settlement")
    .where("pending_settlement", "is not", null)
    .execute();

  await tx.schema
    .createTable("stream_settlements")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("stream_id", "text", (column) => column.notNull().references("streams.id"))
    .addColumn("amount", "bigint", (column) => column.notNull())
    .addColumn("at", "bigint", (column) => column.notNull())
    .addColumn("requested_by", "text", (column) => column.notNull())
    .addColumn("operation_id", "text")
    .addColumn("recorded_at", "bigint")
    .addColumn("reference", "text")
    .addUniqueConstraint("stream_settlements_by_operation", ["operation_id", "stream_id"])
    .execute();

  await tx.schema
    .createTable("stream_ledger")
    .addColumn("position", "bigint", (column) => column.primaryKey())
    .addColumn("stream_id", "text", (column) => column.notNull().references("streams.id"))
    .addColumn("at", "bigint", (column) => column.notNull())
    .addColumn("kind", "text", (column) => column.notNull())
    .addColumn("from_account", "text", (column) => column.notNull())
    .addColumn("to_account", "text", (column) => column.notNull())
    .addColumn("amount", "bigint", (column) => column.notNull())
    .addColumn("settlement_id", "text", (column) => column.references("stream_settlements.id"))
    .execute();
  await tx.schema
    .createIndex("stream_ledger_by_stream")
    .on("stream_ledger")
    .columns(["stream_id", "position"])
    .execute();

  await tx.schema
    .createTable("stream_history")
    .addColumn("position", "bigint", (column) => column.primaryKey())
    .addColumn("stream_id", "text", (column) => column.notNull().references("streams.id"))
    .addColumn("at", "bigint", (column) => column.notNull())
    .addColumn("type", "text", (column) => column.notNull())
    .addColumn("by_actor", "text")
    .addColumn("amount", "bigint")
    .addColumn("operation_id", "text")
    .execute();
  await tx.schema
    .createIndex("stream_history_by_stream")
    .on("stream_history")
    .columns(["stream_id", "position"])
    .execute();
}
