import type { Migration } from "kysely/migration";
import type { Tx } from "./schema.ts";

/**
 * The steps that make the schema, in the order of their names. A released one is never edited. None says anything that is one
 * database's own: all databases take the same steps.
 */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-positions": { up: createPositions },
  "0002-streams": { up: createStreams },
  "0003-operations": { up: createOperations },
  "0004-idempotent-answers": { up: createIdempotentAnswers },
  "0005-operation-turns": { up: createOperationTurns },
  "0006-settlement-refusals": { up: addSettlementRefusals },
};

/** One counter for the changes of all tables. */
async function createPositions(tx: Tx): Promise<void> {
  await tx.schema
    .createTable("positions")
    .addColumn("id", "bigint", (column) => column.primaryKey())
    .addColumn("last", "bigint", (column) => column.notNull())
    .execute();
  await tx.insertInto("positions").values({ id: 1, last: 0 }).execute();
}

/**
 * - `changed` is the position of a row's last change; feeds go by it.
 * - A settlement is written before it is sent and recorded after; `streams.pending_settlement` holds the stream meanwhile.
 * - Ledger and history are only ever added to. A line that moved money has the same position in both.
 */
async function createStreams(tx: Tx): Promise<void> {
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
  await index(tx, "streams_by_changed", "streams", ["changed"]);
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
  await index(tx, "stream_ledger_by_stream", "stream_ledger", ["stream_id", "position"]);

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
  await index(tx, "stream_history_by_stream", "stream_history", ["stream_id", "position"]);
}

async function createOperations(tx: Tx): Promise<void> {
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
  await index(tx, "operations_by_actor", "operations", ["actor_id", "created_at"]);
  await index(tx, "operations_by_actor_changed", "operations", ["actor_id", "changed"]);
  await index(tx, "operations_by_changed", "operations", ["changed"]);
  await index(tx, "operations_by_status", "operations", ["status", "claimed_until"]);
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

async function createIdempotentAnswers(tx: Tx): Promise<void> {
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
  await index(tx, "idempotent_answers_by_created_at", "idempotent_answers", ["created_at"]);
}

/** A row for each actor who has begun an operation: locked while it begins another, as long as its operations are counted. */
async function createOperationTurns(tx: Tx): Promise<void> {
  await tx.schema
    .createTable("operation_turns")
    .addColumn("actor_id", "text", (column) => column.primaryKey())
    .addColumn("taken_at", "bigint", (column) => column.notNull())
    .execute();
}

/** What a sender has refused for good: the settlement is taken back, and the step of the operation that asked for it has failed. */
async function addSettlementRefusals(tx: Tx): Promise<void> {
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

async function index(tx: Tx, name: string, table: string, columns: readonly string[]): Promise<void> {
  await tx.schema
    .createIndex(name)
    .on(table)
    .columns([...columns])
    .execute();
}
