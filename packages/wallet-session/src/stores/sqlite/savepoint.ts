import type { DatabaseSync } from "node:sqlite";
import { failsAlone } from "../../databases/sqlite.ts";

/** Runs several statements inside a transaction so that all of them happen or none does. */
export type Atomically = <Output>(statements: () => Output) => Output;

export function createSavepoint(database: DatabaseSync): Atomically {
  const savepoint = database.prepare("SAVEPOINT step");
  const release = database.prepare("RELEASE step");
  const rollback = database.prepare("ROLLBACK TO step");
  return (statements) => {
    savepoint.run();
    try {
      const output = statements();
      release.run();
      return output;
    } catch (error) {
      // After any other fault the whole group goes, and SQLite may have dropped the savepoint by itself.
      if (failsAlone(error)) {
        rollback.run();
        release.run();
      }
      throw error;
    }
  };
}
