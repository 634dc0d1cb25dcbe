import type { Tx } from "../schema.ts";

/** What a sender has refused for good: the settlement is taken back, and the step of the operation that asked for it has failed. */
export async function addSettlementRefusals(tx: Tx): Promise<void> {
  await tx.schema.alterTable("stream_settlements").addColumn("refused", "text").execute();
  await tx.schema.alterTable("operation_steps").addColumn("refused", "text").execute();
  await tx.schema
    .alterTable("operations")
    .addColumn("failed", "bigint", (column) => column.notNull().defaultTo(0))
    .execute();
  await tx.schema
    .alterTable("operations")
    .addColumn("failures", "text", (column) => column.notNull().defaultTo("[]"))
    .execute();
}
