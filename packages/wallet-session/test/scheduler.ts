interface Turn {
  readonly label: string;
  readonly line: string;
  readonly dueAtMs: number;
  readonly isRemote: boolean;
  readonly task: () => void | Promise<void>;
}

interface TurnOptions {
  readonly label: string;
  /** Turns of one line keep their order. Default: a line of its own. */
  readonly line?: string;
  readonly delayMs?: number;
  /** It comes from the network, which is slower than the machine itself: local turns of the same moment go first. */
  readonly isRemote?: boolean;
}

/** More than any history takes: something asks again and again without time going by. */
const MOST_TURNS = 50_000;

/**
 * A world in which nothing happens by itself: timers, locks, messages and requests are turns on a virtual clock, run one
 * after another. `choose` picks one of `count` turns that could be next; 0 is the one planned first. The same choices give
 * the same history.
 */
export class Scheduler {
  /** The turns that ran, for comparing histories. */
  readonly history: string[] = [];
  readonly #choose: (count: number) => number;
  #turns: Turn[] = [];
  #nowMs = 0;
  #planned = 0;

  constructor(choose: (count: number) => number) {
    this.#choose = choose;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  choose(count: number): number {
    return count > 1 ? this.#choose(count) : 0;
  }

  /** The function returned takes the turn off again. */
  plan(options: TurnOptions, task: Turn["task"]): () => void {
    const { label, delayMs = 0, isRemote = false } = options;
    this.#planned += 1;
    const line = options.line ?? `turn ${this.#planned}`;
    const turn = { label, line, dueAtMs: this.#nowMs + delayMs, isRemote, task };
    this.#turns.push(turn);
    return () => this.#remove(turn);
  }

  /** Time goes by and nothing runs, as in a machine that is asleep. What was due meanwhile is overdue then. */
  sleep(ms: number): void {
    this.#nowMs += ms;
  }

  /** Runs what is due within `ms`. */
  async runFor(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await drained();
    while (await this.#runNext(untilMs));
    this.#nowMs = untilMs;
  }

  /** Runs until `promise` is settled. */
  async runUntil<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settle = () => {
      isSettled = true;
    };
    promise.then(settle, settle);
    await drained();
    while (!isSettled) {
      if (!(await this.#runNext(Number.POSITIVE_INFINITY)))
        throw new Error("Nothing is left that could settle it");
    }
    return promise;
  }

  async #runNext(untilMs: number): Promise<boolean> {
    const nextMs = Math.min(...this.#turns.map(({ dueAtMs }) => dueAtMs));
    if (nextMs > untilMs || this.#turns.length === 0) return false;
    this.#nowMs = Math.max(this.#nowMs, nextMs);
    const ready = this.#ready();
    const turn = ready[this.choose(ready.length)];
    if (turn === undefined) throw new Error("There is no such choice");
    this.#remove(turn);
    this.history.push(`${this.#nowMs} ${turn.label}`);
    if (this.history.length > MOST_TURNS) throw new Error("It does not come to rest");
    await turn.task();
    await drained();
    return true;
  }

  #ready(): Turn[] {
    const due = this.#turns.filter(({ dueAtMs }) => dueAtMs <= this.#nowMs);
    const local = due.filter(({ isRemote }) => !isRemote);
    const first = new Map<string, Turn>();
    for (const turn of local.length > 0 ? local : due) {
      if (!first.has(turn.line)) first.set(turn.line, turn);
    }
    return [...first.values()];
  }

  #remove(turn: Turn): void {
    this.#turns = this.#turns.filter((other) => other !== turn);
  }
}

/** All promises that can go on have gone on: none of a virtual world waits for anything outside it. */
function drained(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
