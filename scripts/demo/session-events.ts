import { isEventStream, readEventStream } from "../../packages/wallet-session/src/feed/event-stream.ts";
import { DemoError } from "./server.ts";

const PATIENCE_MS = 5_000;

type EventData = Readonly<Record<string, unknown>>;

/** The event stream of a session, from when it was opened. */
export interface SessionEvents {
  /** Resolves with the data of the first event of this type that has not been asked for. @throws DemoError */
  next(type: string): Promise<EventData>;
  /** Resolves when the server has closed the stream. @throws DemoError */
  closed(): Promise<void>;
}

/** Opens the event stream of the session that the access token is for. @throws DemoError */
export async function watchSession(baseUrl: string, accessToken: string): Promise<SessionEvents> {
  const leaving = new AbortController();
  const response = await fetch(new URL("/api/auth/events", baseUrl), {
    headers: { accept: "text/event-stream", authorization: `Bearer ${accessToken}` },
    signal: leaving.signal,
  });
  if (!isEventStream(response) || response.body === null) {
    throw new DemoError(`Expected an event stream, the server answered ${response.status}.`);
  }
  const events: { type: string; data: unknown }[] = [];
  let look = () => {};
  const listener = {
    onBytes: () => {},
    onId: () => {},
    onRetry: () => {},
    onEvent: (event: { type: string; data: unknown }) => {
      events.push(event);
      look();
    },
    finished: () => false,
  };
  const reading = readEventStream(response.body, listener, leaving.signal);
  // Whoever waits for it is told; where nobody does, a connection that breaks is no news.
  reading.catch(() => {});

  /** A server that says nothing is not waited for, and must not keep the demo alive. */
  async function within<T>(what: string, task: Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        leaving.abort();
        reject(new DemoError(`The event stream did not ${what} within ${PATIENCE_MS / 1_000} s.`));
      }, PATIENCE_MS);
    });
    return Promise.race([task, limit]).finally(() => clearTimeout(timer));
  }

  return {
    next: (type) =>
      within(
        `say ${type}`,
        new Promise<EventData>((resolve) => {
          look = () => {
            const at = events.findIndex((event) => event.type === type);
            if (at < 0) return;
            const [found] = events.splice(0, at + 1).slice(-1);
            resolve({ ...Object(found?.data) });
          };
          look();
        }),
      ),
    closed: () => within("close", reading),
  };
}
