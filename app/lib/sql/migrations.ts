import type { CreateTableBuilder } from "kysely";
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
  await table(tx, "positions", "id bigint key, last bigint").execute();
  await tx.insertInto("positions").values({ id: 1, last: 0 }).execute();
}

/**
 * - `changed` is the position of a row's last change; feeds go by it.
 * - A settlement is written before it is sent and recorded after; `streams.pending_settlement` holds the stream meanwhile.
 * - Ledger and history are only ever added to. A line that moved money has the same position in both.
 */
async function createStreams(tx: Tx): Promise<void> {
  await table(
    tx,
    "streams",
    `id text key, sender text, recipient text, title text null, asset text, status text,
     deposited bigint, settled bigint, withdrawn bigint, refunded bigint,
     duration_seconds bigint, elapsed_ms bigint, running_since bigint null,
     created_at bigint, started_at bigint null, ended_at bigint null,
     pending_settlement text null, version bigint, changed bigint`,
  ).execute();
  for (const party of ["sender", "recipient"]) {
    await index(tx, `streams_by_${party}_created`, "streams", [party, "created_at", "id"]);
    await index(tx, `streams_by_${party}_status`, "streams", [party, "status", "created_at", "id"]);
    await index(tx, `streams_by_${party}_changed`, "streams", [party, "changed"]);
  }
  await index(tx, "streams_by_changed", "streams", ["changed"]);
  await tx.schema
    .createIndex("streams_by_pending_settlement")
    .on("streams")
    .column("pending_settlement")
    .where("pending_settlement", "is not", null)
    .execute();

  await table(
    tx,
    "stream_settlements",
    `id text key, stream_id text streams.id, amount bigint, at bigint, requested_by text,
     operation_id text null, recorded_at bigint null, reference text null`,
  )
    .addUniqueConstraint("stream_settlements_by_operation", ["operation_id", "stream_id"])
    .execute();

  await table(
    tx,
    "stream_ledger",
    `position bigint key, stream_id text streams.id, at bigint, kind text, from_account text, to_account text,
     amount bigint, settlement_id text null stream_settlements.id`,
  ).execute();
  await index(tx, "stream_ledger_by_stream", "stream_ledger", ["stream_id", "position"]);

  await table(
    tx,
    "stream_history",
    `position bigint key, stream_id text streams.id, at bigint, type text, by_actor text null, amount bigint null,
     operation_id text null`,
  ).execute();
  await index(tx, "stream_history_by_stream", "stream_history", ["stream_id", "position"]);
}

async function createOperations(tx: Tx): Promise<void> {
  await table(
    tx,
    "operations",
    `id text key, actor_id text, session_id text, type text, status text, pause_reason text null,
     total bigint, done bigint, skipped bigint, settled_amount text,
     created_at bigint, updated_at bigint, started_at bigint null, finished_at bigint null, paused_at bigint null,
     grant_ended_at bigint null, rate_since bigint null, rate_steps bigint, rate_milli bigint null,
     claim text null, claimed_until bigint, version bigint, changed bigint`,
  ).execute();
  await index(tx, "operations_by_actor", "operations", ["actor_id", "created_at"]);
  await index(tx, "operations_by_actor_changed", "operations", ["actor_id", "changed"]);
  await index(tx, "operations_by_changed", "operations", ["changed"]);
  await index(tx, "operations_by_status", "operations", ["status", "claimed_until"]);
  await table(
    tx,
    "operation_steps",
    "operation_id text operations.id, number bigint, stream_id text, status text, amount bigint null",
  )
    .addPrimaryKeyConstraint("operation_steps_key", ["operation_id", "number"])
    .addUniqueConstraint("operation_steps_once", ["operation_id", "stream_id"])
    .execute();
}

async function createIdempotentAnswers(tx: Tx): Promise<void> {
  await table(
    tx,
    "idempotent_answers",
    `actor_id text, key_hash text, fingerprint text, status bigint, headers text, body text, created_at bigint`,
  )
    .addPrimaryKeyConstraint("idempotent_answers_key", ["actor_id", "key_hash"])
    .execute();
  await index(tx, "idempotent_answers_by_created_at", "idempotent_answers", ["created_at"]);
}

/** A row for each actor who has begun an operation: locked while it begins another, as long as its operations are counted. */
async function createOperationTurns(tx: Tx): Promise<void> {
  await table(tx, "operation_turns", "actor_id text key, taken_at bigint").execute();
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

/**
 * A table by its columns: name, type, and what else is so. `key`: the primary key. `null`: it may be null, as no other may.
 * `streams.id`: it refers to that.
 */
function table<Name extends string>(tx: Tx, name: Name, columns: string): CreateTableBuilder<Name, string> {
  let made: CreateTableBuilder<Name, string> = tx.schema.createTable(name);
  for (const column of columns.split(",")) {
    const [called = "", type, ...rest] = column.trim().split(/\s+/);
    const referred = rest.find((word) => word.includes("."));
    made = made.addColumn(called, type === "bigint" ? "bigint" : "text", (built) => {
      const keyed = rest.includes("key") ? built.primaryKey() : built;
      const bound = rest.includes("null") || rest.includes("key") ? keyed : keyed.notNull();
      return referred === undefined ? bound : bound.references(referred);
    });
  }
  return made;
}

async function index(tx: Tx, name: string, table: string, columns: readonly string[]): Promise<void> {
  await tx.schema
    .createIndex(name)
    .on(table)
    .columns([...columns])
    .execute();
}
