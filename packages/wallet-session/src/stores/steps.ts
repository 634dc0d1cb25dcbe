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
export function createRunningSteps() {
  const running = new Set<Promise<unknown>>();
  let closing: Promise<void> | null = null;

  return {
    areOver: () => closing !== null,
    /** Rejects after `close`. What was begun before is finished by it. */
    async run<Output>(step: () => Promise<Output>): Promise<Output> {
      if (closing !== null) throw new Error("The store is closed.");
      const begun = step();
      running.add(begun);
      try {
        return await begun;
      } finally {
        running.delete(begun);
      }
    },
    /** Calls `end` once, when all steps are over. */
    close(end: () => Promise<void>): Promise<void> {
      closing ??= Promise.allSettled(running).then(end);
      return closing;
    },
  };
}
