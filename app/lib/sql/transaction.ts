import { setTimeout } from "node:timers/promises";
import { SessionError } from "wallet-session";
import type { Database, Stage } from "./database.ts";
import type { Tx } from "./schema.ts";

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
