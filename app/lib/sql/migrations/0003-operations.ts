import type { Tx } from "../schema.ts";

export async function createOperations(tx: Tx): Promise<void> {
  await tx.schema
    .createTable("operations")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("actor_id", "text", (column) => column.notNull())
    .addColumn("session_id", "text", (column) => column.notNull())
    .addColumn("type", "text", (column) => column.notNull())
    .addColumn("status", "text", (column) => column.notNull())
    .addColumn("pause_reason", "text")
    .addColumn("total", "bigint", (column) => column.notNull())
    .addColumn("done", "bigint", (column) => column.notNull())
    .addColumn("skipped", "bigint", (column) => column.notNull())
    .addColumn("settled_amount", "text", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("updated_at", "bigint", (column) => column.notNull())
    .addColumn("started_at", "bigint")
    .addColumn("finished_at", "bigint")
    .addColumn("paused_at", "bigint")
    .addColumn("grant_ended_at", "bigint")
    .addColumn("rate_since", "bigint")
    .addColumn("rate_steps", "bigint", (column) => column.notNull())
    .addColumn("rate_milli", "bigint")
    .addColumn("claim", "text")
    .addColumn("claimed_until", "bigint", (column) => column.notNull())
    .addColumn("version", "bigint", (column) => column.notNull())
    .addColumn("changed", "bigint", (column) => column.notNull())
    .execute();
  await tx.schema
    .createIndex("operations_by_actor")
    .on("operations")
    .columns(["actor_id", "created_at"])
    .execute();
  await tx.schema
    .createIndex("operations_by_actor_changed")
    .on("operations")
    .columns(["actor_id", "changed"])
    .execute();
  await tx.schema.createIndex("operations_by_changed").on("operations").column("changed").execute();
  await tx.schema
    .createIndex("operations_by_status")
    .on("operations")
    .columns(["status", "claimed_until"])
    .execute();
  await tx.schema
    .createTable("operation_steps")
    .addColumn("operation_id", "text", (column) => column.notNull().references("operations.id"))
    .addColumn("number", "bigint", (column) => column.notNull())
    .addColumn("stream_id", "text", (column) => column.notNull())
    .addColumn("status", "text", (column) => column.notNull())
    .addColumn("amount", "bigint")
    .addPrimaryKeyConstraint("operation_steps_key", ["operation_id", "number"])
    .addUniqueConstraint("operation_steps_once", ["operation_id", "stream_id"])
    .execute();
}
