import { setTimeout as delay } from "node:timers/promises";
import { isEventStream, readEventStream } from "../../packages/wallet-session/src/feed/event-stream.ts";

/** An answer of the server, parsed. */
export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What went otherwise than the demo says; its message is for the person at the terminal. */
export class DemoError extends Error {
  override readonly name = "DemoError";
}

export type Send = (method: string, path: string, options?: SendOptions) => Promise<Answer>;

interface SendOptions {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** Requests to one server. @throws DemoError when nothing answers there */
export function connectTo(baseUrl: string): Send {
  return async (method, path, { body, headers = {} } = {}) => {
    const init: RequestInit = { method, headers: { "content-type": "application/json", ...headers } };
    if (body !== undefined) init.body = JSON.stringify(body);
    const response = await fetch(new URL(path, baseUrl), init).catch(() => {
      throw new DemoError(`No server answers at ${baseUrl}. Start one with: npm start`);
    });
    const text = await response.text();
    try {
      return { status: response.status, body: text === "" ? {} : JSON.parse(text) };
    } catch {
      throw new DemoError(
        `${baseUrl} is no wallet-session server: ${path} answered ${response.status}, not JSON.`,
      );
    }
  };
}

/** A member of an answer that must be text. */
export function text({ body }: Answer, name: string): string {
  const value = body[name];
  if (typeof value !== "string") throw new DemoError(`The answer has no ${name}: ${JSON.stringify(body)}`);
  return value;
}

/** A server that says nothing must not keep the demo alive. */
const PATIENCE_MS = 5_000;
const LOOKS_EVERY_MS = 20;

type EventData = Readonly<Record<string, unknown>>;

/** The event stream of a session, from when it was opened. */
export interface SessionEvents {
  /** Resolves with the data of the first event of this type that has not been asked for. @throws DemoError */
  next(type: string): Promise<EventData>;
  /** Resolves when the server has closed the event stream. @throws DemoError */
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
  let isClosed = false;
  const ignore = () => {};
  const onEvent = (event: { type: string; data: unknown }) => void events.push(event);
  const listener = { onBytes: ignore, onId: ignore, onRetry: ignore, onEvent, finished: () => false };
  // A connection that breaks says nothing more, and that is what is told.
  readEventStream(response.body, listener, leaving.signal).then(() => {
    isClosed = true;
  }, ignore);

  async function within<T>(what: string, look: () => T | undefined): Promise<T> {
    for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += LOOKS_EVERY_MS) {
      const found = look();
      if (found !== undefined) return found;
      await delay(LOOKS_EVERY_MS);
    }
    leaving.abort();
    throw new DemoError(`The event stream did not ${what} within ${PATIENCE_MS / 1_000} s.`);
  }

  return {
    next: (type) =>
      within(`say ${type}`, () => {
        const at = events.findIndex((event) => event.type === type);
        return at < 0 ? undefined : { ...Object(events.splice(0, at + 1).at(-1)?.data) };
      }),
    closed: async () => void (await within("close", () => isClosed || undefined)),
  };
}
