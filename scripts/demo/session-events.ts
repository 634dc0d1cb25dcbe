import { setTimeout as delay } from "node:timers/promises";
import { type FeedEvent, readEventStream } from "../../packages/wallet-session/src/feed.ts";

/** What went otherwise than the demo says; its message is for the person at the terminal. */
export class DemoError extends Error {
  override readonly name = "DemoError";
}

/** A server that says nothing must not keep the demo alive. */
const PATIENCE_MS = 5_000;
const LOOKS_EVERY_MS = 20;

/** Reads an event stream, from now on. */
export function readEvents(response: Response) {
  const leaving = new AbortController();
  const events: FeedEvent[] = [];
  let isClosed = false;
  // A connection that breaks says nothing more, and that is what is told.
  readEventStream(response, { onEvent: (event) => events.push(event) }, leaving.signal).then(
    () => {
      isClosed = true;
    },
    () => {},
  );

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
    /** Resolves with the data of the first event of this type that has not been asked for. @throws DemoError */
    next: (type: string): Promise<Record<string, unknown>> =>
      within(`say ${type}`, () => {
        const at = events.findIndex((event) => event.type === type);
        return at < 0 ? undefined : { ...Object(events.splice(0, at + 1).at(-1)?.data) };
      }),
    /** Resolves when the server has closed the event stream. @throws DemoError */
    closed: () => within("close", () => isClosed || undefined),
  };
}
