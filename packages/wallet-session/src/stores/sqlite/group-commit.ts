import type { DatabaseSync } from "node:sqlite";
import { BUSY_RETRIES, BUSY_RETRY_MS, failsAlone, isBusy } from "../../databases/sqlite.ts";

/** A bound on how long one transaction holds up the event loop. */
const GROUP_MAX_STEPS = 256;

interface QueuedStep {
  /** Returns what answers it once the group is committed. @throws when the whole group must go with it */
  readonly run: () => () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit: all steps that were asked for in one turn of the event loop share one transaction and one fsync.
 *
 * Steps run strictly in the order in which they were submitted. Each is atomic by itself: one that fails on its own
 * account leaves no trace and rejects alone. No promise resolves before the COMMIT has returned; when the
 * transaction fails as a whole, all of its steps reject and their outcome is unknown.
 *
 * A step is synchronous, and of one statement or inside a savepoint.
 *
 * @param busyRetries how often a transaction is tried again while another connection holds the lock
 */
export function createGroupCommit(database: DatabaseSync, busyRetries = BUSY_RETRIES) {
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");
  const rollback = database.prepare("ROLLBACK");
  let waiting: QueuedStep[] = [];
  let scheduled = false;
  let retries = 0;
  let drained = () => {};

  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    setImmediate(flush);
  }

  function flush(): void {
    try {
      begin.run();
    } catch (error) {
      if (isBusy(error) && retries < busyRetries) {
        retries += 1;
        setTimeout(flush, BUSY_RETRY_MS);
        return;
      }
      for (const { reject } of nextGroup()) reject(error);
      finish();
      return;
    }
    const group = nextGroup();
    try {
      const answers = group.map(({ run }) => run());
      commit.run();
      for (const answer of answers) answer();
    } catch (error) {
      abandon();
      for (const { reject } of group) reject(error);
    }
    finish();
  }

  function nextGroup(): QueuedStep[] {
    if (waiting.length > GROUP_MAX_STEPS) return waiting.splice(0, GROUP_MAX_STEPS);
    const group = waiting;
    waiting = [];
    return group;
  }

  function finish(): void {
    retries = 0;
    scheduled = false;
    if (waiting.length > 0) schedule();
    else drained();
  }

  function abandon(): void {
    try {
      rollback.run();
    } catch {
      // On some faults SQLite has rolled back by itself, and there is no transaction left to end.
    }
  }

  return {
    /** Runs the step in the next group, so later: what it writes must not change meanwhile. */
    submit<Output>(step: () => Output): Promise<Output> {
      return new Promise((resolve, reject) => {
        const run = () => {
          try {
            const output = step();
            return () => resolve(output);
          } catch (error) {
            if (!failsAlone(error)) throw error;
            return () => reject(error);
          }
        };
        waiting.push({ run, reject });
        schedule();
      });
    },
    /** Resolves when nothing is waiting any more. Submit nothing after it. */
    async drain(): Promise<void> {
      if (!scheduled) return;
      await new Promise<void>((resolve) => {
        drained = resolve;
      });
    },
  };
}

/** Makes what runs several statements inside a transaction so that all of them happen or none does. */
export function createSavepoint(database: DatabaseSync) {
  const savepoint = database.prepare("SAVEPOINT step");
  const release = database.prepare("RELEASE step");
  const rollback = database.prepare("ROLLBACK TO step");
  return <Output>(statements: () => Output): Output => {
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
