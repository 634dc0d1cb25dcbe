import { worksElsewhere } from "./virtual-crypto.ts";

export interface TurnOptions {
  readonly label: string;
  readonly delayMs?: number;
  /** It comes from the network, which is slower than the machine itself: local turns of the same moment go first. */
  readonly isRemote?: boolean;
  /** Of turns of the same moment, the lowest goes first; those that are alike keep their order. @default 0 */
  readonly rank?: number;
}

interface Turn {
  readonly label: string;
  readonly dueAtMs: number;
  readonly isRemote: boolean;
  readonly rank: number;
  readonly order: number;
  readonly task: () => void;
  isOff: boolean;
}

/** More than any world takes without time going by: something asks again and again. */
const MOST_TURNS_AT_ONCE = 100_000;
/** Test runners ask now and then whether their process is alive. */
const TURNS_BETWEEN_BREATHS = 1_000;

/**
 * A world in which nothing happens by itself: timers, locks, messages, requests and steps of the store are turns on a virtual
 * clock, run one after another. The same plans give the same history.
 */
export class Scheduler {
  readonly #trace: ((line: string) => void) | null;
  /** A heap: no turn is before its parent. */
  readonly #turns: Turn[] = [];
  #nowMs = 0;
  #planned = 0;
  #atOnce = 0;
  #ran = 0;

  /** @param trace is told of each turn as it begins */
  constructor(trace: ((line: string) => void) | null = null) {
    this.#trace = trace;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** How many turns have run. */
  get ran(): number {
    return this.#ran;
  }

  /** The function returned takes the turn off again. A task is not waited for: what it waits for is a turn, too. */
  plan({ label, delayMs = 0, isRemote = false, rank = 0 }: TurnOptions, task: () => void): () => void {
    this.#planned += 1;
    const dueAtMs = this.#nowMs + Math.max(0, delayMs);
    const turn: Turn = { label, dueAtMs, isRemote, rank, order: this.#planned, task, isOff: false };
    this.#add(turn);
    return () => {
      turn.isOff = true;
    };
  }

  pause(ms: number, label = "pause"): Promise<void> {
    return new Promise((resolve) => void this.plan({ label, delayMs: ms }, resolve));
  }

  /** Runs what is due within `ms`. */
  runFor(ms: number): Promise<void> {
    return this.runUntil(this.#nowMs + ms);
  }

  /** Runs what is due until then, or until `isOver` says so. */
  async runUntil(untilMs: number, isOver: () => boolean = () => false): Promise<void> {
    await drained();
    while (!isOver()) {
      const turn = this.#turns[0];
      if (turn === undefined || turn.dueAtMs > untilMs) {
        this.#nowMs = Math.max(this.#nowMs, untilMs);
        return;
      }
      this.#takeFirst();
      if (!turn.isOff) await this.#run(turn);
    }
  }

  async #run(turn: Turn): Promise<void> {
    if (turn.dueAtMs > this.#nowMs) this.#atOnce = 0;
    this.#nowMs = Math.max(this.#nowMs, turn.dueAtMs);
    this.#atOnce += 1;
    this.#ran += 1;
    if (this.#atOnce > MOST_TURNS_AT_ONCE) throw new Error(`It does not come to rest: ${turn.label}`);
    this.#trace?.(`${this.#nowMs} ${turn.label}`);
    turn.task();
    if (this.#ran % TURNS_BETWEEN_BREATHS === 0) await new Promise((resolve) => setImmediate(resolve));
    await drained();
  }

  #add(turn: Turn): void {
    const turns = this.#turns;
    let at = turns.push(turn) - 1;
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = turns[parentAt];
      if (parent === undefined || !isBefore(turn, parent)) break;
      turns[at] = parent;
      at = parentAt;
    }
    turns[at] = turn;
  }

  #takeFirst(): void {
    const turns = this.#turns;
    const last = turns.pop();
    if (last === undefined || turns.length === 0) return;
    let at = 0;
    for (;;) {
      let childAt = 2 * at + 1;
      let child = turns[childAt];
      const right = turns[childAt + 1];
      if (child !== undefined && right !== undefined && isBefore(right, child)) {
        child = right;
        childAt += 1;
      }
      if (child === undefined || !isBefore(child, last)) break;
      turns[at] = child;
      at = childAt;
    }
    turns[at] = last;
  }
}

function isBefore(one: Turn, other: Turn): boolean {
  if (one.dueAtMs !== other.dueAtMs) return one.dueAtMs < other.dueAtMs;
  if (one.isRemote !== other.isRemote) return other.isRemote;
  if (one.rank !== other.rank) return one.rank < other.rank;
  return one.order < other.order;
}

/** All promises that can go on have gone on. Node runs its next tick when no microtask is left. */
async function drained(): Promise<void> {
  await new Promise<void>((resolve) => process.nextTick(resolve));
  while (worksElsewhere()) await new Promise((resolve) => setImmediate(resolve));
}
