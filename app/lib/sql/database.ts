import { setTimeout } from "node:timers/promises";
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
type Stage = "begin" | "work" | "commit";

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

/** A transaction that finds itself overtaken again and again gives up after as many tries. */
const OVERTAKEN_TRIES = 8;

/**
 * Thrown inside a transaction whose ground another one has changed: nothing of it happens, and it is begun again. Known by its
 * name, since each of Next's bundles has a copy of this module and all share one database.
 */
export class Overtaken extends Error {
  override readonly name = "Overtaken";

  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === "Overtaken";
  }
}

/**
 * Runs `work` in a transaction, and again, a bounded number of times, where nothing of it has happened for the sake of
 * another one, or because the database could not be reached.
 * @throws what `work` throws; DatabaseFault; store_unavailable where others were faster each time
 */
export async function transact<T>(database: Database, work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    let stage: Stage = "begin";
    try {
      return await database.db.transaction().execute(async (tx) => {
        stage = "work";
        const result = await work(tx);
        stage = "commit";
        return result;
      });
    } catch (error) {
      const retryAfterMs =
        error instanceof Overtaken ? overtaken(tries) : database.retryAfterMs(error, stage, tries);
      if (retryAfterMs === null) throw error;
      // Not inside the driver: meanwhile others use the connection.
      if (retryAfterMs > 0) await setTimeout(retryAfterMs);
    }
  }
}

/** At once: what was faster is committed. */
function overtaken(tries: number): number {
  if (tries < OVERTAKEN_TRIES) return 0;
  throw new SessionError("store_unavailable", "Others change the same at the moment. Try again.", {
    retryAfterSeconds: 1,
  });
}
