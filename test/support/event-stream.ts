import { createParser } from "eventsource-parser";
import type { AppServer } from "./app-server.ts";
import { contractWith } from "./http-client.ts";

export interface StreamEvent {
  readonly id: string | null;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** An event stream as a client reads it. */
export interface EventStream {
  readonly status: number;
  readonly headers: Headers;
  /** All that has come so far. */
  readonly events: readonly StreamEvent[];
  /** The next event that has not been taken yet. Rejects when the stream ends without one. */
  next(): Promise<StreamEvent>;
  /** How the server ended it: `closed`, or `broken` where the connection went. */
  readonly ended: Promise<"closed" | "broken">;
  /** Goes away, as a tab that is closed does. */
  leave(): void;
}

/** Opens a stream and goes on reading it. Resolves when the server has begun to answer. */
export async function openEventStream(
  server: AppServer,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<EventStream> {
  const client = new AbortController();
  const response = await fetch(new URL(path, server.address), {
    headers: { Accept: "text/event-stream", ...headers },
    signal: client.signal,
  });
  const { status, headers: answered } = response;
  contractWith(server).check("GET", path, { status, headers: answered, text: null });
  const events: StreamEvent[] = [];
  let taken = 0;
  let wake = () => {};
  const parser = createParser({
    onEvent({ id, event = "message", data }) {
      events.push({ id: id ?? null, event, data: JSON.parse(data) });
      wake();
    },
  });
  let over = false;
  const ended = readWhole(response, (text) => parser.feed(text)).finally(() => {
    over = true;
    wake();
  });

  async function next(): Promise<StreamEvent> {
    for (;;) {
      const event = events[taken];
      if (event !== undefined) {
        taken += 1;
        return event;
      }
      if (over) throw new Error(`The stream ended after ${JSON.stringify(events)}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }

  return {
    status: response.status,
    headers: response.headers,
    events,
    next,
    ended,
    leave: () => client.abort(),
  };
}

async function readWhole(response: Response, feed: (text: string) => void): Promise<"closed" | "broken"> {
  try {
    for await (const chunk of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
      feed(chunk);
    }
    return "closed";
  } catch {
    return "broken";
  }
}
