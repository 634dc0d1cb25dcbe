import { setTimeout as pause } from "node:timers/promises";
import { type Listener, openListener, type PostgresSource, type PostgresTimes } from "./driver.ts";

/**
 * Tells watchers of notifications on a channel (LISTEN). One connection serves all of them, and exists while there is a watcher.
 * A lost one is opened again for as long as it takes. Each new one wakes all, since notifications in between are gone.
 */
export class WakeUps {
  readonly #source: PostgresSource;
  readonly #channel: string;
  readonly #times: PostgresTimes;
  readonly #watchers = new Set<() => void>();
  #listening: AbortController | null = null;

  /** @param channel a name as it may stand between double quotes */
  constructor(source: PostgresSource, channel: string, times: PostgresTimes) {
    this.#times = times;
    this.#source = source;
    this.#channel = channel;
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
      await pause(this.#times.listenAgainMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  async #listenOnce(signal: AbortSignal): Promise<void> {
    const wakeAll = () => {
      for (const wake of this.#watchers) wake();
    };
    const listener = await openListener(this.#source, this.#channel, wakeAll, this.#times);
    const stop = () => listener.end();
    signal.addEventListener("abort", stop);
    try {
      if (signal.aborted) return;
      wakeAll();
      await whileAnswering(listener, this.#times.listenPingMs);
    } finally {
      signal.removeEventListener("abort", stop);
      stop();
    }
  }
}

/** Resolves when the connection is lost, or does not answer any more. */
async function whileAnswering(listener: Listener, pingMs: number): Promise<void> {
  const answering = new AbortController();
  const { signal } = answering;
  const silent = (async () => {
    for (;;) {
      await pause(pingMs, undefined, { signal, ref: false });
      await listener.ping();
    }
  })().catch(() => {});
  await Promise.race([listener.ended, silent]);
  answering.abort();
}
