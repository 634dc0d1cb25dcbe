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

interface ConnectionHost {
  lastEventId(): string | null;
  onId(id: string | null): void;
  onEvent(event: FeedEvent): void;
  onStatus(status: FeedStatus): void;
}

/**
 * Holds the one connection to the server and opens it again whenever it is lost. A lost connection signs nobody out: events
 * about the session go to the client, which asks the server.
 */
export function createFeedConnection(
  client: SessionClient,
  url: string,
  { now, after, random }: ClientEnvironment,
  host: ConnectionHost,
) {
  let failures = 0;
  let retryMs = 0;
  let heardAt = 0;
  let live = false;
  let attempt: AbortController | undefined;
  /** Ends the pause before the next try; undefined while there is none, or the server asked for it. */
  let endPause: (() => void) | undefined;

  /** Connects and reads until the connection is lost. Gives how long the server asked to wait before the next one. */
  async function connect(signal: AbortSignal): Promise<number | undefined> {
    const current = new AbortController();
    const stopListening = onAbort(signal, () => current.abort());
    attempt = current;
    heardAt = now();
    const stopLimit = limitSilence(current);
    try {
      await readAll(current.signal);
    } catch (error) {
      if (error instanceof SessionClientError && error.retryAfterSeconds !== undefined) {
        return askedWaitMs(error.retryAfterSeconds);
      }
    } finally {
      stopLimit();
      current.abort();
      stopListening();
      live = false;
      attempt = undefined;
    }
    return undefined;
  }

  async function readAll(signal: AbortSignal): Promise<void> {
    const lastEventId = host.lastEventId();
    const response = await client.fetch(url, {
      headers: {
        accept: "text/event-stream",
        ...(lastEventId !== null && { "last-event-id": lastEventId }),
      },
      cache: "no-store",
      signal,
    });
    if (!isEventStream(response)) throw await errorOf(response);
    // The jar may have changed hands since this tab last heard of it. The server is asked after the connection stands, so its
    // answer is certain; if the session is somebody else's, it ends this run.
    await client.check();
    signal.throwIfAborted();
    live = true;
    host.onStatus("live");
    let ended: string | undefined;
    const listener: EventStreamListener = {
      onBytes: () => {
        heardAt = now();
      },
      onId: host.onId,
      onRetry: (ms) => {
        retryMs = Math.min(ms, LONGEST_PAUSE_MS);
        // It ends this connection on purpose, and is well.
        if (ms < SHORTEST_PAUSE_MS) failures = 0;
      },
      onEvent: (event) => {
        host.onEvent(event);
        if (event.type === "session.expiring") client.refresh().catch(() => {});
        if (event.type === "session.ended") ended = codeOf(event.data);
      },
      finished: () => ended !== undefined,
    };
    await readEventStream(response, listener, signal);
    if (ended === undefined) return;
    // Expiry is no end: no tab renewed in time, so this one does.
    if (ended === "access_token_expired") await client.refresh();
    else await client.endedElsewhere(ended);
  }

  function limitSilence(current: AbortController): () => void {
    let cancel = () => {};
    const watch = (ms: number) => {
      cancel = after(ms, () => {
        const leftMs = heardAt + (live ? SILENCE_LIMIT_MS : CONNECT_LIMIT_MS) - now();
        if (leftMs <= 0) current.abort();
        else watch(leftMs);
      });
    };
    watch(CONNECT_LIMIT_MS);
    return () => cancel();
  }

  async function pause(askedMs: number | undefined, signal: AbortSignal): Promise<void> {
    const backoffMs =
      failures === 0 && retryMs > 0 ? 0 : Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** failures);
    failures += 1;
    // Clients that lost a server at one moment must not come back at one moment.
    const jitter = random();
    const ownMs = Math.max(backoffMs, retryMs) * (0.5 + jitter / 2);
    const ms = askedMs === undefined ? ownMs : Math.max(ownMs, askedMs * (1 + jitter / 4));
    host.onStatus("waiting");
    await new Promise<void>((resolve) => {
      const end = () => {
        cancel();
        signal.removeEventListener("abort", end);
        resolve();
      };
      const cancel = after(ms, end);
      signal.addEventListener("abort", end);
      if (askedMs === undefined) endPause = end;
    });
    endPause = undefined;
  }

  return {
    /** Resolves when `signal` aborts. */
    async run(signal: AbortSignal): Promise<void> {
      while (!signal.aborted) {
        host.onStatus("connecting");
        const begunAt = now();
        const askedToWaitMs = await connect(signal);
        if (signal.aborted) return;
        if (now() - begunAt >= GOOD_CONNECTION_MS) failures = 0;
        await pause(askedToWaitMs, signal);
      }
    },

    /** After sleep, or back online: ends the pause before the next try, and drops a connection that seems dead. */
    wake(): void {
      endPause?.();
      if (now() - heardAt >= SILENCE_AFTER_WAKING_MS) attempt?.abort();
    },
  };
}

function codeOf(data: unknown): string {
  return typeof data === "object" && data !== null && "code" in data ? String(data.code) : "";
}
