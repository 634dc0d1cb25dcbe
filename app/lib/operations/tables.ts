import type { Selectable, Updateable } from "kysely";
import type { SessionId } from "wallet-session";
import type { Int } from "../sql/columns.ts";
import type { SettlementRefusal } from "../streams/settlement.ts";

/** A stream that could not be settled, and never can be as things are. */
export interface Failure {
  readonly stream_id: string;
  readonly reason: SettlementRefusal;
}

export type OperationStatus = "queued" | "running" | "paused" | "completed" | "cancelled";
export type PauseReason = "session_revoked" | "reuse_detected";

/** One row for each long operation. Times in milliseconds since 1970, amounts in stroops. */
interface OperationsTable {
  id: string;
  actor_id: string;
  /** The grant: the session that asked for it, or that resumed it. */
  session_id: SessionId;
  type: "settle_streams";
  status: OperationStatus;
  pause_reason: PauseReason | null;
  total: Int;
  /** Steps are taken in order: the next one is number `done + skipped + failed`. */
  done: Int;
  skipped: Int;
  failed: Int;
  /** The first steps that have failed, as JSON (`Failure`). */
  failures: string;
  /** A decimal text: the sum of 10,000 amounts can be more than 64 bits hold. */
  settled_amount: string;
  created_at: Int;
  updated_at: Int;
  started_at: Int | null;
  finished_at: Int | null;
  paused_at: Int | null;
  /** When the grant ended, where that paused it: a session created later may resume it. */
  grant_ended_at: Int | null;
  /** The rate is counted in windows: when this one began, and how many steps were through by then. */
  rate_since: Int | null;
  rate_steps: Int;
  /** Of the last whole window, in steps per 1000 s. */
  rate_milli: Int | null;
  /** Proves the claim of the worker that runs it, and until when no other may take it over. */
  claim: string | null;
  claimed_until: Int;
  version: Int;
  /** The position of its last change (`sql/positions.ts`). */
  changed: Int;
}

interface OperationStepsTable {
  operation_id: string;
  /** From 0. */
  number: Int;
  stream_id: string;
  status: "waiting" | "done" | "skipped" | "failed";
  /** Settled by this step; null until it is done. */
  amount: Int | null;
  /** Why it has failed. */
  refused: SettlementRefusal | null;
}

/** Who begins an operation locks the actor's row first, so that no two count at the same time. */
interface OperationTurnsTable {
  actor_id: string;
  taken_at: Int;
}

export type OperationRow = Selectable<OperationsTable>;
export type OperationChanges = Updateable<OperationsTable>;
export type StepChanges = Updateable<OperationStepsTable>;

export interface OperationTables {
  operations: OperationsTable;
  operation_steps: OperationStepsTable;
  operation_turns: OperationTurnsTable;
}
