/** What one step of a prune did. */
export interface Round {
  readonly examined: number;
  readonly deleted: number;
}

/** Prunes by rounds that look at `most` rows each, until `limit` are deleted or a round finds fewer rows than it asked for. */
export async function inRounds(limit: number, round: (most: number) => Promise<Round>): Promise<number> {
  let total = 0;
  while (total < limit) {
    const most = limit - total;
    const { examined, deleted } = await round(most);
    total += deleted;
    if (examined < most) break;
  }
  return total;
}

/** The steps of one store that are under way. */
export class RunningSteps {
  readonly #running = new Set<Promise<unknown>>();
  #closing: Promise<void> | null = null;

  get areOver(): boolean {
    return this.#closing !== null;
  }

  /** Rejects after `close`. What was begun before is finished by it. */
  async run<Output>(step: () => Promise<Output>): Promise<Output> {
    if (this.#closing !== null) throw new Error("The store is closed.");
    const running = step();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Calls `end` once, when all steps are over. */
  close(end: () => Promise<void>): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#running).then(end);
    return this.#closing;
  }
}
