import { setImmediate, setTimeout } from "node:timers/promises";
import { SessionError } from "wallet-session";
import { newId } from "../streams/ids.ts";
import { CLAIM_MS, OPERATIONS_AT_ONCE, STEP_RETRY_MS, WORKER_POLL_MS } from "./limits.ts";
import { type Claim, claimOperation, findUnclaimed, releaseClaim, renewClaim } from "./rows.ts";
import { type StepContext, type StepOutcome, takeStep } from "./step.ts";

export interface WorkerOptions extends StepContext {
  readonly pace: Pace;
  /** Told of what kept a step from being taken; it is tried again. */
  readonly onFault: (fault: unknown) => void;
  /** How long its claims last. It renews each four times within that, and with each step. At most a minute; default: 5 s. */
  readonly claimMs?: number;
  /** How often it looks for operations that another process accepted, or left. Default: 1 s. */
  readonly pollMs?: number;
  /** The pause before a step is tried again after a fault. Default: 1 s. */
  readonly retryMs?: number;
}

/** Runs the operations of the database, together with the workers of other processes, until `stop` ends it. */
export class Worker {
  readonly #options: Required<WorkerOptions>;
  readonly #stopping = new AbortController();
  readonly #running = new Map<Claim, Promise<void>>();
  readonly #loops: readonly Promise<void>[];
  #sleeping = new AbortController();

  constructor(options: WorkerOptions) {
    this.#options = { claimMs: CLAIM_MS, pollMs: WORKER_POLL_MS, retryMs: STEP_RETRY_MS, ...options };
    this.#loops = [this.#takeWork(), this.#keepClaims()];
  }

  /** Says that an operation may have come up: it is looked for at once. Others are found within a second. */
  wake(): void {
    this.#sleeping.abort();
  }

  /** Finishes the steps at hand, gives the operations back, and resolves then. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.wake();
    // In this order: a claim that was being made is among the running ones only when its loop has ended.
    await Promise.all(this.#loops);
    await Promise.all(this.#running.values());
  }

  async #takeWork(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      // Made before the look: who wakes it from here on has something that the look may have missed.
      this.#sleeping = new AbortController();
      const claim = await this.#attempt(() => this.#claim());
      if (claim) this.#running.set(claim, this.#run(claim));
      else await sleep(this.#options.pollMs, this.#sleeping.signal);
    }
  }

  async #claim(): Promise<Claim | null> {
    const { sql, clock, random, claimMs } = this.#options;
    if (this.#running.size >= OPERATIONS_AT_ONCE) return null;
    // A read first: most often there is nothing, and nobody else need wait for that to be found out.
    if ((await findUnclaimed(sql.db, clock.now())) === null) return null;
    return sql.write((tx) => claimOperation(tx, newId(random), claimMs, clock.now()));
  }

  /** Steps renew their claim by themselves; but where the pace is slow, or a sender, there is long none. */
  async #keepClaims(): Promise<void> {
    const { sql, clock, claimMs } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await sleep(claimMs / 4, signal);
      if (this.#running.size === 0) continue;
      await this.#attempt(() =>
        sql.write(async (tx) => {
          for (const claim of this.#running.keys()) await renewClaim(tx, claim, clock.now());
        }),
      );
    }
  }

  async #run(claim: Claim): Promise<void> {
    let outcome: StepOutcome | null = "taken";
    while (outcome !== "stopped" && (await this.#turn())) {
      outcome = await this.#attempt(() => takeStep(this.#options, claim));
      if (outcome === null) await sleep(this.#options.retryMs, this.#stopping.signal);
    }
    // Where that fails, the claim lapses.
    if (outcome !== "stopped")
      await this.#attempt(() => this.#options.sql.write((tx) => releaseClaim(tx, claim)));
    this.#running.delete(claim);
    // There is room for another.
    this.wake();
  }

  /** False when there is to be no further step. */
  async #turn(): Promise<boolean> {
    const { signal } = this.#stopping;
    await this.#options.pace.turn(signal).catch(() => {});
    return !signal.aborted;
  }

  /** Null after a fault, which is reported unless it has been already, as the stores report theirs. */
  async #attempt<T>(task: () => Promise<T>): Promise<T | null> {
    try {
      return await task();
    } catch (error) {
      const isReported = error instanceof SessionError && error.code === "store_unavailable";
      if (!isReported) this.#options.onFault(error);
      return null;
    }
  }
}

/** Ends early, without a word, when the signal is raised. */
async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => {});
}

/** Who wants to take a step waits for its turn. First come, first served. */
export interface Pace {
  /** @throws AbortError when `signal` is raised first */
  turn(signal: AbortSignal): Promise<void>;
}

const SECOND_MS = 1_000;
/** Turns that were due this long ago are still given: timers are late by a little. */
const CATCH_UP_MS = 50;

/** At most so many turns a second, evenly spread. Between two turns the event loop always comes round. */
export function createPace(perSecond: number, monotonicNow: () => number = () => performance.now()): Pace {
  const interval = SECOND_MS / perSecond;
  let next = 0;
  return {
    async turn(signal) {
      const now = monotonicNow();
      const mine = Math.max(next, now - CATCH_UP_MS);
      next = mine + interval;
      const wait = mine - now;
      if (wait >= 1) await setTimeout(wait, undefined, { signal });
      else await setImmediate(undefined, { signal });
    },
  };
}
