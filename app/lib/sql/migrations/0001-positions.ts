import type { Tx } from "../schema.ts";

/** One counter for the changes of all tables. */
export async function createPositions(tx: Tx): Promise<void> {
  await tx.schema
    .createTable("positions")
    .addColumn("id", "bigint", (column) => column.primaryKey())
    .addColumn("last", "bigint", (column) => column.notNull())
    .execute();
  await tx.insertInto("positions").values({ id: 1, last: 0 }).execute();
}
