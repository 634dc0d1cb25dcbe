import { onAbort } from "../client/abort.ts";
import type { ClientEnvironment } from "../client/environment.ts";
import { askedWaitMs, errorOf, SessionClientError } from "../client/problem.ts";
import type { SessionClient } from "../client.ts";
import { type EventStreamListener, isEventStream, readEventStream } from "./event-stream.ts";
import type { FeedEvent, FeedStatus } from "./feed-event.ts";

/** Until the answer begins, including a renewal and its wait for the lock. */
const CONNECT_LIMIT_MS = 20_000;
/** Servers send something at least every 15 s, if only a comment. A connection that is silent for longer is dead. */
const SILENCE_LIMIT_MS = 45_000;
/** After sleep a connection is often dead, so it has to have spoken more recently. */
const SILENCE_AFTER_WAKING_MS = 20_000;
/** After a connection that lasted this long, the next try need not wait long. */
const GOOD_CONNECTION_MS = 10_000;
const SHORTEST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

export interface ConnectionHost {
  readonly lastEventId: string | null;
  onId(id: string | null): void;
  onEvent(event: FeedEvent): void;
  onStatus(status: FeedStatus): void;
}

/**
 * Holds the one connection to the server and opens it again whenever it is lost. A lost connection signs nobody out: events
 * about the session go to the client, which asks the server.
 */
export class FeedConnection {
  readonly #client: SessionClient;
  readonly #url: string;
  readonly #environment: ClientEnvironment;
  readonly #host: ConnectionHost;
  #failures = 0;
  #retryMs = 0;
  #heardAt = 0;
  #live = false;
  #attempt: AbortController | undefined;
  /** Ends the pause before the next try; undefined while there is none, or the server asked for it. */
  #endPause: (() => void) | undefined;

  constructor(client: SessionClient, url: string, environment: ClientEnvironment, host: ConnectionHost) {
    this.#client = client;
    this.#url = url;
    this.#environment = environment;
    this.#host = host;
  }

  /** Resolves when `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#host.onStatus("connecting");
      const begunAt = this.#environment.now();
      const askedToWaitMs = await this.#connect(signal);
      if (signal.aborted) return;
      if (this.#environment.now() - begunAt >= GOOD_CONNECTION_MS) this.#failures = 0;
      await this.#pause(askedToWaitMs, signal);
    }
  }

  /** After sleep, or back online: ends the pause before the next try, and drops a connection that seems dead. */
  wake(): void {
    this.#endPause?.();
    if (this.#environment.now() - this.#heardAt >= SILENCE_AFTER_WAKING_MS) this.#attempt?.abort();
  }

  /** Connects and reads until the connection is lost. Gives how long the server asked to wait before the next one. */
  async #connect(signal: AbortSignal): Promise<number | undefined> {
    const attempt = new AbortController();
    const stopListening = onAbort(signal, () => attempt.abort());
    this.#attempt = attempt;
    this.#heardAt = this.#environment.now();
    const stopLimit = this.#limitSilence(attempt);
    try {
      await this.#readAll(attempt.signal);
    } catch (error) {
      if (error instanceof SessionClientError && error.retryAfterSeconds !== undefined) {
        return askedWaitMs(error.retryAfterSeconds);
      }
    } finally {
      stopLimit();
      attempt.abort();
      stopListening();
      this.#live = false;
      this.#attempt = undefined;
    }
    return undefined;
  }

  async #readAll(signal: AbortSignal): Promise<void> {
    const { lastEventId } = this.#host;
    const response = await this.#client.fetch(this.#url, {
      headers: {
        accept: "text/event-stream",
        ...(lastEventId !== null && { "last-event-id": lastEventId }),
      },
      cache: "no-store",
      redirect: "error",
      signal,
    });
    if (!isEventStream(response) || response.body === null) throw await errorOf(response);
    // The jar may have changed hands since this tab last heard of it. The server is asked after the connection stands, so its
    // answer is certain; if the session is somebody else's, it ends this run.
    await this.#client.check();
    signal.throwIfAborted();
    this.#live = true;
    this.#host.onStatus("live");
    let ended: string | undefined;
    const listener: EventStreamListener = {
      onBytes: () => {
        this.#heardAt = this.#environment.now();
      },
      onId: (id) => this.#host.onId(id),
      onRetry: (ms) => {
        this.#retryMs = Math.min(ms, LONGEST_PAUSE_MS);
      },
      onEvent: (event) => {
        this.#host.onEvent(event);
        if (event.type === "session.expiring") this.#client.refresh().catch(() => {});
        if (event.type === "session.ended") ended = codeOf(event.data);
      },
      finished: () => ended !== undefined,
    };
    await readEventStream(response.body, listener, signal);
    if (ended === undefined) return;
    // Expiry is no end: no tab renewed in time, so this one does.
    if (ended === "access_token_expired") await this.#client.refresh();
    else await this.#client.endedElsewhere(ended);
  }

  #limitSilence(attempt: AbortController): () => void {
    let cancel = () => {};
    const watch = (ms: number) => {
      cancel = this.#environment.after(ms, () => {
        const limitMs = this.#live ? SILENCE_LIMIT_MS : CONNECT_LIMIT_MS;
        const leftMs = this.#heardAt + limitMs - this.#environment.now();
        if (leftMs <= 0) attempt.abort();
        else watch(leftMs);
      });
    };
    watch(CONNECT_LIMIT_MS);
    return () => cancel();
  }

  async #pause(askedMs: number | undefined, signal: AbortSignal): Promise<void> {
    const backoffMs = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** this.#failures);
    this.#failures += 1;
    // Clients that lost a server at one moment must not come back at one moment.
    const jitter = this.#environment.random();
    const ownMs = Math.max(backoffMs, this.#retryMs) * (0.5 + jitter / 2);
    const ms = askedMs === undefined ? ownMs : Math.max(ownMs, askedMs * (1 + jitter / 4));
    this.#host.onStatus("waiting");
    await new Promise<void>((resolve) => {
      const end = () => {
        cancel();
        signal.removeEventListener("abort", end);
        resolve();
      };
      const cancel = this.#environment.after(ms, end);
      signal.addEventListener("abort", end);
      if (askedMs === undefined) this.#endPause = end;
    });
    this.#endPause = undefined;
  }
}

function codeOf(data: unknown): string {
  return typeof data === "object" && data !== null && "code" in data ? String(data.code) : "";
}
