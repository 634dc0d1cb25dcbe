import type { DatabaseSync, StatementSync } from "node:sqlite";
import { BUSY_RETRIES, BUSY_RETRY_MS, failsAlone, isBusy } from "../../databases/sqlite.ts";

/** A bound on how long one transaction holds up the event loop. */
const GROUP_MAX_STEPS = 256;

/**
 * Group commit: all steps that were asked for in one turn of the event loop share one transaction and one fsync.
 *
 * Steps run strictly in the order in which they were submitted. Each is atomic by itself: one that fails on its own
 * account leaves no trace and rejects alone. No promise resolves before the COMMIT has returned; when the
 * transaction fails as a whole, all of its steps reject and their outcome is unknown.
 *
 * A step is synchronous, and of one statement or inside a savepoint.
 */
export class GroupCommit {
  readonly #busyRetries: number;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #rollback: StatementSync;
  #waiting: QueuedStep[] = [];
  #scheduled = false;
  #retries = 0;
  #drained: (() => void) | null = null;

  /** @param busyRetries how often a transaction is tried again while another connection holds the lock */
  constructor(database: DatabaseSync, busyRetries = BUSY_RETRIES) {
    this.#busyRetries = busyRetries;
    this.#begin = database.prepare("BEGIN IMMEDIATE");
    this.#commit = database.prepare("COMMIT");
    this.#rollback = database.prepare("ROLLBACK");
  }

  /** Runs the step in the next group, so later: what it writes must not change meanwhile. */
  submit<Output>(step: () => Output): Promise<Output> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(new Step(step, resolve, reject));
      this.#schedule();
    });
  }

  /** Resolves when nothing is waiting any more. Submit nothing after it. */
  drain(): Promise<void> {
    if (!this.#scheduled) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    try {
      this.#begin.run();
    } catch (error) {
      if (isBusy(error) && this.#retries < this.#busyRetries) {
        this.#retries += 1;
        setTimeout(this.#flush, BUSY_RETRY_MS);
        return;
      }
      this.#reject(this.#nextGroup(), error);
      this.#finish();
      return;
    }
    const group = this.#nextGroup();
    try {
      for (const step of group) step.run();
      this.#commit.run();
    } catch (error) {
      this.#abandon();
      this.#reject(group, error);
      this.#finish();
      return;
    }
    for (const step of group) step.settle();
    this.#finish();
  };

  #nextGroup(): QueuedStep[] {
    if (this.#waiting.length > GROUP_MAX_STEPS) return this.#waiting.splice(0, GROUP_MAX_STEPS);
    const group = this.#waiting;
    this.#waiting = [];
    return group;
  }

  #finish(): void {
    this.#retries = 0;
    this.#scheduled = false;
    if (this.#waiting.length > 0) this.#schedule();
    else this.#drained?.();
  }

  #reject(group: readonly QueuedStep[], error: unknown): void {
    for (const step of group) step.reject(error);
  }

  #abandon(): void {
    try {
      this.#rollback.run();
    } catch {
      // On some faults SQLite has rolled back by itself, and there is no transaction left to end.
    }
  }
}

interface QueuedStep {
  run(): void;
  settle(): void;
  reject(error: unknown): void;
}

class Step<Output> implements QueuedStep {
  readonly #step: () => Output;
  readonly #resolve: (output: Output) => void;
  readonly reject: (error: unknown) => void;
  #result: { readonly output: Output } | { readonly error: unknown } | null = null;

  constructor(step: () => Output, resolve: (output: Output) => void, reject: (error: unknown) => void) {
    this.#step = step;
    this.#resolve = resolve;
    this.reject = reject;
  }

  /** @throws when the whole group must go with it */
  run(): void {
    try {
      this.#result = { output: this.#step() };
    } catch (error) {
      if (!failsAlone(error)) throw error;
      this.#result = { error };
    }
  }

  settle(): void {
    if (this.#result === null) return;
    if ("output" in this.#result) this.#resolve(this.#result.output);
    else this.reject(this.#result.error);
  }
}

/** Runs several statements inside a transaction so that all of them happen or none does. */
export type Savepoint = <Output>(statements: () => Output) => Output;

export function createSavepoint(database: DatabaseSync): Savepoint {
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
