import type { SessionStore } from "../../src/store.ts";
import { createMemoryStore } from "../../src/stores/memory.ts";
import type { Machine } from "./machine.ts";
import type { StoreFault } from "./plan.ts";
import type { Scheduler } from "./scheduler.ts";
import type { JudgedNode, Truths } from "./truths.ts";

type Step = Exclude<keyof SessionStore, "watchRevocations" | "close">;
type Run = (...args: readonly unknown[]) => Promise<unknown>;

const READS = new Set<Step>([
  "findSession",
  "listSessions",
  "endedByReuse",
  "proofFailures",
  "revocationsAfter",
  "countSessions",
  "signingKeys",
  "ping",
]);
const WRITES = new Set<Step>([
  "createSession",
  "consumeChallenge",
  "rotate",
  "revokeSession",
  "revokeActor",
  "revokeBatch",
  "noteProofFailure",
  "claimEvents",
  "settleEvents",
  "addSigningKey",
  "prune",
]);

const STEP_MS = 20;

interface Write {
  readonly atMs: number;
  readonly step: Step;
  readonly args: readonly unknown[];
}

/** A node as the store sees it. */
export interface StoreUser {
  readonly machine: Machine;
  /** Names the process. */
  readonly life: string;
  /** A process that has crashed hears nothing more, and writes nothing more. */
  isDead(): boolean;
  /** The revocation log was read to its end, as it stood then or later. */
  hasRead(sinceMs: number): void;
}

/**
 * The memory store as several nodes share it, behind a line on which steps take a while or fail, with and without having been
 * done. It may also lose its last writes.
 */
export class SimulatedStore {
  readonly #scheduler: Scheduler;
  readonly #truths: Truths;
  readonly #slowSteps: number;
  readonly #slowMs: number;
  readonly #wakes: boolean;
  readonly #watchers = new Set<() => void>();
  /** All of them, where some may be lost. */
  readonly #writes: Write[] | null;
  #inner: SessionStore;
  #fault: StoreFault | null = null;

  constructor(
    scheduler: Scheduler,
    truths: Truths,
    options: {
      readonly slowSteps: number;
      readonly wakes: boolean;
      readonly losesTail: boolean;
      readonly leewayMs: number;
    },
  ) {
    this.#scheduler = scheduler;
    this.#truths = truths;
    this.#slowSteps = options.slowSteps;
    // A refresh takes two steps, and lives less than a leeway.
    this.#slowMs = Math.min(3_000, options.leewayMs / 4);
    this.#wakes = options.wakes;
    this.#writes = options.losesTail ? [] : null;
    this.#inner = this.#newInner();
  }

  /** What is in it, beside all faults. */
  get contents(): SessionStore {
    return this.#inner;
  }

  fail(fault: StoreFault | null): void {
    this.#fault = fault;
  }

  get isWell(): boolean {
    return this.#fault === null;
  }

  /** As a crash does, where acknowledged writes wait for the disk. */
  async lose(lastMs: number, nodes: readonly JudgedNode[]): Promise<void> {
    const writes = this.#writes;
    if (writes === null) return;
    const lost = writes.filter(({ atMs }) => atMs > this.#scheduler.nowMs - lastMs);
    writes.length -= lost.length;
    this.#inner = this.#newInner();
    for (const { step, args } of writes) await runOn(this.#inner, step, args);
    await this.#truths.storeHasLost(this.#inner, nodes);
  }

  /** The store of one process. */
  openFor(user: StoreUser): SessionStore {
    const steps = [...READS, ...WRITES].map((step): [Step, Run] => [
      step,
      (...args) => this.#take(user, step, args),
    ]);
    return {
      ...(Object.fromEntries(steps) as unknown as Pick<SessionStore, Step>),
      watchRevocations: (wake) => {
        // May miss, and may be late.
        const watcher = () => {
          if (user.isDead() || !this.#wakes || user.machine.random.chance(0.2)) return;
          user.machine.plan({ label: "wake-up", delayMs: user.machine.random.below(STEP_MS) }, wake);
        };
        this.#watchers.add(watcher);
        return () => void this.#watchers.delete(watcher);
      },
      close: async () => {},
    };
  }

  async #take(user: StoreUser, step: Step, args: readonly unknown[]): Promise<unknown> {
    const { random } = user.machine;
    const begunAtMs = this.#scheduler.nowMs;
    // Not of everything: a node could not even start.
    const fault = this.#fault !== null && random.chance(0.7) ? this.#fault : null;
    if (fault === "slow") await this.#wait(random.below(this.#slowMs));
    else if (random.chance(this.#slowSteps)) await this.#wait(random.below(STEP_MS));
    if (user.isDead()) return new Promise(() => {});
    if (fault === "rejects before") throw new Error("The store does not answer");
    const result = await this.#apply(user, step, args);
    if (random.chance(this.#slowSteps)) await this.#wait(random.below(STEP_MS));
    if (user.isDead()) return new Promise(() => {});
    if (fault === "rejects after") throw new Error("The store's answer is lost");
    if (step === "revocationsAfter") user.hasRead(begunAtMs);
    return result;
  }

  async #apply(user: StoreUser, step: Step, args: readonly unknown[]): Promise<unknown> {
    const result = await runOn(this.#inner, step, args);
    if (WRITES.has(step)) {
      this.#writes?.push({ atMs: this.#scheduler.nowMs, step, args });
      this.#truths.stored(step, args, result, user.life);
    }
    return result;
  }

  #wait(ms: number): Promise<void> {
    return this.#scheduler.pause(1 + ms, "store");
  }

  #newInner(): SessionStore {
    const inner = createMemoryStore();
    inner.watchRevocations(() => {
      if (this.#inner === inner) for (const watcher of this.#watchers) watcher();
    });
    return inner;
  }
}

function runOn(store: SessionStore, step: Step, args: readonly unknown[]): Promise<unknown> {
  return (store[step] as Run).apply(store, [...args]);
}
