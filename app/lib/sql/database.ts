import type { Kysely } from "kysely";
import { SessionError } from "wallet-session";
import type { Schema, Tx } from "./schema.ts";

/** Told of each fault of the database, with its cause; never of a refusal. */
export type FaultSink = (fault: unknown) => void;

const RETRY_AFTER_SECONDS = 1;

/** The database failed, and not by a mistake of its caller. Never leaves `app/lib/sql`. */
export class DatabaseFault extends Error {
  override readonly name = "DatabaseFault";

  constructor(cause: unknown) {
    super("The database of the streams did not answer.", { cause });
  }
}

/** What the outside is told. A fault is reported here, and becomes `store_unavailable`; every other error stays as it is. */
export function reported(error: unknown, onFault: FaultSink): unknown {
  if (!(error instanceof DatabaseFault)) return error;
  onFault(error.cause);
  return new SessionError("store_unavailable", `${error.message} Try again.`, {
    cause: error.cause,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}

/** How far a transaction had come when it failed. In `commit` nobody can know whether it was made. */
export type Stage = "begin" | "work" | "commit";

/** What each database does in its own way. Statements are the same for all, locks of rows among them. */
export interface Database {
  /** A statement outside a transaction reports its faults; inside one it leaves them to the transaction. */
  readonly db: Kysely<Schema>;
  /** The name of the schema that holds the tables; null where the database has no schemas. */
  readonly schema: string | null;
  /**
   * Milliseconds until a failed transaction begins again; null: it does not, since it may have been made, would fail again, or
   * has failed often enough.
   */
  retryAfterMs(error: unknown, stage: Stage, tries: number): number | null;
  /** Runs the steps that bring the schema up to date in one transaction, while those of other processes wait. */
  migrate(steps: (tx: Tx) => Promise<void>): Promise<void>;
}
