import { createParser } from "eventsource-parser";
import { onAbort } from "../client/abort.ts";
import { errorOf } from "../client/problem.ts";
import type { FeedEvent } from "./feed-event.ts";

/** Of one event. A server that sends more is not ours. */
const EVENT_MAX_CHARS = 1_048_576;
/** What an HTTP header can say, so that an id can be given back. */
const HEADER_VALUE = /^[\x20-\x7e]{0,128}$/;

/** What {@link readEventStream} tells of what it reads. */
export interface EventStreamListener {
  /** Anything at all arrived, be it a comment that keeps the connection open. */
  onBytes?(): void;
  /** Comes before the event that it belongs to. Null when the server takes it back. */
  onId?(id: string | null): void;
  onRetry?(ms: number): void;
  onEvent(event: FeedEvent): void;
  /** Whether no more is wanted. */
  finished?(): boolean;
}

export function isEventStream(response: Response): boolean {
  const contentType = response.headers.get("content-type") ?? "";
  return response.status === 200 && /^text\/event-stream\s*(?:;|$)/i.test(contentType);
}

/**
 * Reads the events of one answer until the server closes the stream, the listener has finished, or `signal` calls it off. What
 * is no JSON is left out. For programs that keep their own tokens; it neither connects again nor renews.
 * @throws {@link SessionClientError} for another answer; whatever reading throws, also for an event that is too long
 * @example
 * ```ts
 * import { readEventStream } from "wallet-session/feed";
 * import { createTokenClient, memoryStorage } from "wallet-session/token-client";
 *
 * const client = createTokenClient({ url: "https://pay.example.com/api/auth", storage: memoryStorage() });
 * await readEventStream(await client.fetch("/api/events"), {
 *   onEvent: ({ type, data }) => console.log(type, data),
 * });
 * ```
 */
export async function readEventStream(
  response: Response,
  listener: EventStreamListener,
  signal?: AbortSignal,
): Promise<void> {
  if (!isEventStream(response) || response.body === null) throw await errorOf(response);
  const parser = createParser({
    maxBufferSize: EVENT_MAX_CHARS,
    onId: (id) => {
      if (HEADER_VALUE.test(id)) listener.onId?.(id === "" ? null : id);
    },
    onRetry: (ms) => listener.onRetry?.(ms),
    onEvent: ({ id, event: type = "message", data }) => {
      const parsed = parseJson(data);
      if (parsed === undefined) return;
      const usable = id !== undefined && id !== "" && HEADER_VALUE.test(id);
      listener.onEvent({ id: usable ? id : null, type, data: parsed });
    },
  });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  // Lets go of the connection for certain, where an abort of the request alone is at times forgotten.
  const letGo = () => void reader.cancel().catch(() => {});
  const stopListening = onAbort(signal, letGo);
  try {
    while (signal?.aborted !== true && listener.finished?.() !== true) {
      const { done, value } = await reader.read();
      if (done) return;
      listener.onBytes?.();
      parser.feed(value);
    }
  } finally {
    stopListening();
    letGo();
  }
}

/** Undefined is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
