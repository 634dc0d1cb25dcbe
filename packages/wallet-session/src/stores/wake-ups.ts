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
 */
export class WakeUps {
  readonly #open: (wakeAll: () => void) => Promise<Listener>;
  readonly #againMs: number;
  readonly #watchers = new Set<() => void>();
  #listening: AbortController | null = null;

  /** @param againMs between the loss of a connection and the next one */
  constructor(open: (wakeAll: () => void) => Promise<Listener>, againMs: number) {
    this.#open = open;
    this.#againMs = againMs;
  }

  watch(wake: () => void): () => void {
    // A watcher of its own for each call, also with the same function.
    const watcher = () => wake();
    this.#watchers.add(watcher);
    if (this.#listening === null) {
      this.#listening = new AbortController();
      void this.#listen(this.#listening.signal);
    }
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.close();
    };
  }

  close(): void {
    this.#watchers.clear();
    this.#listening?.abort();
    this.#listening = null;
  }

  async #listen(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // Faults are the steps' to report: this only makes them sooner.
      await this.#listenOnce(signal).catch(() => {});
      await pause(this.#againMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  async #listenOnce(signal: AbortSignal): Promise<void> {
    const wakeAll = () => {
      for (const wake of this.#watchers) wake();
    };
    const { ended, end } = await this.#open(wakeAll);
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
}
