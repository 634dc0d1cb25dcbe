import { Random } from "./random.ts";
import type { Scheduler, TurnOptions } from "./scheduler.ts";

export interface MachineTurn extends Omit<TurnOptions, "rank"> {
  /** Turns of one line keep their order. */
  readonly line?: number;
}

/** Between the last of a machine's own turns and its lines. */
const LINES_FROM = 1_000;

/** A computer: it has its own chance, may sleep, and may lose all that it was about to do. */
export class Machine {
  readonly name: string;
  readonly random: Random;
  readonly #scheduler: Scheduler;
  #life = 0;
  #sleepers: (() => void)[] | null = null;

  constructor(scheduler: Scheduler, name: string, seed: string) {
    this.#scheduler = scheduler;
    this.name = name;
    this.random = new Random(`${seed} ${name}`);
  }

  get nowMs(): number {
    return this.#scheduler.nowMs;
  }

  get isAsleep(): boolean {
    return this.#sleepers !== null;
  }

  /** What is due while the machine sleeps is overdue when it wakes. */
  plan({ label, line, ...options }: MachineTurn, task: () => void): () => void {
    const life = this.#life;
    let isOff = false;
    const run = () => {
      if (isOff || life !== this.#life) return;
      if (this.#sleepers === null) task();
      else this.#sleepers.push(run);
    };
    const rank = line === undefined ? this.random.below(LINES_FROM) : LINES_FROM + line;
    const takeOff = this.#scheduler.plan({ ...options, label: `${this.name}: ${label}`, rank }, run);
    return () => {
      isOff = true;
      takeOff();
    };
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.plan({ label: "pause", delayMs: ms }, resolve));
  }

  sleep(): void {
    this.#sleepers ??= [];
  }

  wake(): void {
    const overdue = this.#sleepers ?? [];
    this.#sleepers = null;
    for (const run of overdue) this.#scheduler.plan({ label: `${this.name}: overdue` }, run);
  }

  /** Nothing that was planned until now happens. */
  crash(): void {
    this.#life += 1;
    this.#sleepers = null;
  }
}
