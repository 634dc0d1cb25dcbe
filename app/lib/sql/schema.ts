import type { Kysely, Transaction } from "kysely";
import type { OperationTables } from "../operations/tables.ts";
import type { StreamTables } from "../streams/tables.ts";
import type { Int } from "./columns.ts";

/** One row: the last position that was given out. */
interface PositionsTable {
  id: Int;
  last: Int;
}

/** The migrations that this database went through, as Kysely's migrator records them. */
interface AppMigrationsTable {
  name: string;
  /** ISO 8601. Databases of before Kysely's migrator have this column only once they migrate again. */
  timestamp: string;
}

/** Every table of the app, as the last migration leaves it. */
export interface Schema extends StreamTables, OperationTables, HttpTables {
  positions: PositionsTable;
  app_migrations: AppMigrationsTable;
}

/** Inside `Sql.write`: statements that take effect together or not at all. */
export type Tx = Transaction<Schema>;

/** For reads: the database as it was last committed, or, inside `Sql.write`, with the transaction's own changes. */
export type Reader = Kysely<Schema> | Tx;

/** Locks the row that is read until the transaction ends: for those who change it, or whose changes depend on it. */
export type Lock = "for update";

/** What was answered to a request that carried an Idempotency-Key. */
interface IdempotentAnswersTable {
  actor_id: string;
  /** SHA-256 of the key. */
  key_hash: string;
  /** SHA-256 of what was asked for. */
  fingerprint: string;
  status: Int;
  /** JSON. */
  headers: string;
  body: string;
  created_at: Int;
}

interface HttpTables {
  idempotent_answers: IdempotentAnswersTable;
}
