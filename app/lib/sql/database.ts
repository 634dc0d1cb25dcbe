import type { Kysely } from "kysely";
import { SessionError } from "wallet-session";
import type { Schema } from "./schema.ts";
import type { Reader, Tx } from "./sql.ts";

/** Told of each fault of the database, with its cause; never of a refusal. */
export type FaultSink = (fault: unknown) => void;

const RETRY_AFTER_SECONDS = 1;

/** The database did not do what it was asked for, and not by a mistake of who asked. Never leaves `app/lib/sql`. */
export class DatabaseFault extends Error {
  override readonly name = "DatabaseFault";

  constructor(cause: unknown) {
    super("The database of the streams did not answer.", { cause });
  }
}

/** What the outside is told: of a fault, which is reported by this, that it may be over soon; all else as it is. */
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
  /** What is asked outside a transaction reports its faults; what is asked inside leaves that to who began it. */
  readonly db: Kysely<Schema>;
  /**
   * Milliseconds after which a transaction that has failed is begun again; null: it is not, since it may have been made, or
   * would fail again, or has failed often enough.
   */
  retryAfterMs(error: unknown, stage: Stage, tries: number): number | null;
  /** Runs the steps that bring the schema up to date in one transaction, while those of other processes wait. */
  migrate(steps: (tx: Tx) => Promise<void>): Promise<void>;
  /** Whether the schema has a table of that name. */
  hasTable(reader: Reader, name: string): Promise<boolean>;
}
