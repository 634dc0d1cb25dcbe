import type { Tx } from "../schema.ts";

/** A row for each actor who has begun an operation: locked while it begins another, as long as its operations are counted. */
export async function createOperationTurns(tx: Tx): Promise<void> {
  await tx.schema
    .createTable("operation_turns")
    .addColumn("actor_id", "text", (column) => column.primaryKey())
    .addColumn("taken_at", "bigint", (column) => column.notNull())
    .execute();
}
