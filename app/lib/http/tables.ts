import type { Int } from "../sql/columns.ts";

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

export interface HttpTables {
  idempotent_answers: IdempotentAnswersTable;
}
