/** Runs a task once that is wanted many times within a moment. */
export interface Gathering {
  /** Runs the last task that was given once none has been for a moment, and at the latest some time after the first. */
  run(task: () => void): void;
  /** Forgets what was given. */
  drop(): void;
}

/** @param quietMs without a new task, @param atMostMs after the first: in a stream of news there may be no quiet moment */
export function createGathering(quietMs: number, atMostMs: number): Gathering {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let latest: number | null = null;
  return {
    run(task) {
      const now = performance.now();
      latest ??= now + atMostMs;
      clearTimeout(timer);
      timer = setTimeout(
        () => {
          latest = null;
          task();
        },
        Math.max(0, Math.min(quietMs, latest - now)),
      );
    },
    drop() {
      clearTimeout(timer);
      latest = null;
    },
  };
}
