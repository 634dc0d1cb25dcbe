import { setTimeout as pause } from "node:timers/promises";

/** A connection that is told of what happens on a channel. */
export interface Listener {
  /** Settles when it was lost, or ended. */
  readonly ended: Promise<void>;
  end(): void;
}

/**
 * Tells watchers of what is said on a channel. One connection serves all of them, and exists while there is a watcher. A lost one is
 * opened again for as long as it takes. Each new one wakes all, since what was said in between is gone.
 * @param againMs between the loss of a connection and the next one
 */
export function createWakeUps(open: (wakeAll: () => void) => Promise<Listener>, againMs: number) {
  const watchers = new Set<() => void>();
  let listening: AbortController | null = null;

  async function listen(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // Faults are the steps' to report: this only makes them sooner.
      await listenOnce(signal).catch(() => {});
      await pause(againMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  async function listenOnce(signal: AbortSignal): Promise<void> {
    const wakeAll = () => {
      for (const wake of watchers) wake();
    };
    const { ended, end } = await open(wakeAll);
    signal.addEventListener("abort", end);
    try {
      if (signal.aborted) return;
      wakeAll();
      await ended;
    } finally {
      signal.removeEventListener("abort", end);
      end();
    }
  }

  function close(): void {
    watchers.clear();
    listening?.abort();
    listening = null;
  }

  return {
    watch(wake: () => void): () => void {
      // A watcher of its own for each call, also with the same function.
      const watcher = () => wake();
      watchers.add(watcher);
      if (listening === null) {
        listening = new AbortController();
        void listen(listening.signal);
      }
      return () => {
        watchers.delete(watcher);
        if (watchers.size === 0) close();
      };
    },
    close,
  };
}
