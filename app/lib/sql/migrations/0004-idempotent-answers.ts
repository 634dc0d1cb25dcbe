import type { Tx } from "../schema.ts";

export async function createIdempotentAnswers(tx: Tx): Promise<void> {
  await tx.schema
    .createTable("idempotent_answers")
    .addColumn("actor_id", "text", (column) => column.notNull())
    .addColumn("key_hash", "text", (column) => column.notNull())
    .addColumn("fingerprint", "text", (column) => column.notNull())
    .addColumn("status", "bigint", (column) => column.notNull())
    .addColumn("headers", "text", (column) => column.notNull())
    .addColumn("body", "text", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("idempotent_answers_key", ["actor_id", "key_hash"])
    .execute();
  await tx.schema
    .createIndex("idempotent_answers_by_created_at")
    .on("idempotent_answers")
    .column("created_at")
    .execute();
}
