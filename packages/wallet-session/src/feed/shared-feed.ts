import type { Channel, ClientEnvironment, Locks } from "../client/environment.ts";
import type { SessionClient } from "../client.ts";
import { createFeedConnection } from "./connection.ts";
import type { FeedEvent, FeedStatus } from "./feed-event.ts";
import { readTabMessage, type TabMessage } from "./tab-messages.ts";

/** After this silence, the tab that holds the connection is asked whether it is still there. */
const ASK_AFTER_MS = 8_000;
/** A tab that does not answer in this time is frozen. Messages reach a tab in the background without delay. */
const ANSWER_LIMIT_MS = 3_000;
/** How many event ids are remembered, to recognise events that come again from another tab. */
const IDS_REMEMBERED = 256;

interface SharedFeedOptions {
  readonly client: SessionClient;
  readonly url: string;
  readonly environment: ClientEnvironment;
  /** Names the lock and the channel; different for each session. */
  readonly name: string;
  readonly onEvent: (event: FeedEvent) => void;
  readonly onStatus: (status: FeedStatus) => void;
}

/** Wait in line for the lock; steal it from a frozen tab; or do without locks and without the other tabs. */
type Turn = "wait" | "steal" | "alone";

/**
 * One tab's part in the feed of one session. The tab that has the lock holds the connection and passes events on. The others
 * wait in line for the lock, and steal it from a tab that no longer answers. Tabs that cannot share have a connection each.
 * The function returned ends it.
 */
export function joinSharedFeed(options: SharedFeedOptions): () => void {
  const { client, url, environment, name } = options;
  const { now, after, random, locks } = environment;
  const stopped = new AbortController();
  const self = crypto.getRandomValues(new Uint32Array(4)).join("-");
  /** Which tab an event came from. */
  const seen = new Map<string, string>();
  let leads = false;
  let status: FeedStatus = "connecting";
  let lastEventId: string | null = null;
  let heardAt = now();
  let cancelWatch = () => {};

  const connection = createFeedConnection(client, url, environment, {
    lastEventId: () => lastEventId,
    onId(id) {
      const first = lastEventId === null;
      lastEventId = id;
      // An id may come without an event, and a tab that takes over before the first event has to go on from it.
      if (first) sayStatus();
    },
    onEvent(event) {
      say({ type: "event", from: self, event });
      deliver(self, event);
    },
    onStatus(next) {
      become(next);
      sayStatus();
    },
  });
  const stopListening = environment.onWake(() => {
    if (leads) connection.wake();
    else say({ type: "woken" });
  });
  /** Undefined if this tab is by itself. */
  let channel: Channel<TabMessage> | undefined;
  if (locks !== undefined)
    channel = environment.openChannel(name, (message) => hear(readTabMessage(message)));
  if (locks === undefined || channel === undefined) void lead(stopped.signal);
  else void takePart(locks);

  /** Waits in line for the lock until this tab stops, also after another tab has stolen it. */
  async function takePart(locks: Locks): Promise<void> {
    say({ type: "hello" });
    let turn: Turn = "wait";
    while (turn !== "alone" && !stopped.signal.aborted) turn = await takeTurn(locks, turn);
    if (turn !== "alone") return;
    channel?.close();
    channel = undefined;
    await lead(stopped.signal);
  }

  /** Waits for the lock or steals it, and leads while this tab has it. Gives what to do next. */
  async function takeTurn(locks: Locks, turn: "wait" | "steal"): Promise<Turn> {
    const waiting = new AbortController();
    const leading = new AbortController();
    const over = () => {
      waiting.abort();
      leading.abort();
    };
    stopped.signal.addEventListener("abort", over);
    let led: Promise<void> | undefined;
    let next: Turn = "wait";
    if (turn === "wait") {
      watch(() => {
        next = "steal";
        waiting.abort();
      });
    }
    try {
      const how = turn === "steal" ? ({ steal: true } as const) : { signal: waiting.signal };
      await locks.request(name, how, () => {
        led = lead(leading.signal);
        return led;
      });
    } catch {
      // Called off, or stolen by another tab. Otherwise this page may have no locks, as in a sandboxed frame.
      if (led === undefined && !waiting.signal.aborted) next = "alone";
    } finally {
      over();
      stopped.signal.removeEventListener("abort", over);
    }
    await led;
    return next;
  }

  async function lead(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    cancelWatch();
    leads = true;
    await connection.run(signal);
    leads = false;
  }

  /** Calls `whenFrozen` once the tab that holds the connection has left a question unanswered. */
  function watch(whenFrozen: () => void): void {
    const askAfterMs = ASK_AFTER_MS * (1 + random() / 4);
    heardAt = now();
    const ask = (inMs: number) => {
      cancelWatch = after(inMs, () => {
        const leftMs = heardAt + askAfterMs - now();
        if (leftMs > 0) return ask(leftMs);
        const askedAt = now();
        say({ type: "hello" });
        cancelWatch = after(ANSWER_LIMIT_MS, () => {
          if (heardAt < askedAt) whenFrozen();
          else ask(askAfterMs);
        });
      });
    };
    ask(askAfterMs);
  }

  function hear(message: TabMessage | undefined): void {
    if (message === undefined || stopped.signal.aborted) return;
    switch (message.type) {
      case "hello":
        if (leads) sayStatus();
        return;
      case "woken":
        if (leads) connection.wake();
        return;
      case "status":
        heardAt = now();
        if (leads) return;
        lastEventId = message.lastEventId ?? lastEventId;
        become(message.status);
        return;
      case "event":
        heardAt = now();
        // The tab with the connection, too, gets by itself what cannot be known again.
        if (leads && message.event.id === null) return;
        if (deliver(message.from, message.event) && !leads) {
          lastEventId = message.event.id ?? lastEventId;
          // Only a connection that stands brings any, whatever a tab that thaws may have said of its own.
          become("live");
        }
        return;
      default:
        message satisfies never;
    }
  }

  /**
   * Delivers each id once. When the connection moves to another tab, both may pass the same event on: a frozen tab still reads
   * what had reached it before. An id that comes again from the same tab is a new event, of a server that counts anew. False
   * for a known event.
   */
  function deliver(from: string, event: FeedEvent): boolean {
    if (stopped.signal.aborted) return false;
    if (event.id !== null) {
      const seenFrom = seen.get(event.id);
      if (seenFrom !== undefined && seenFrom !== from) return false;
      seen.set(event.id, from);
      const [oldest] = seen.keys();
      if (seen.size > IDS_REMEMBERED && oldest !== undefined) seen.delete(oldest);
    }
    options.onEvent(event);
    return true;
  }

  function become(next: FeedStatus): void {
    if (stopped.signal.aborted || next === status) return;
    status = next;
    options.onStatus(next);
  }

  function sayStatus(): void {
    say({ type: "status", from: self, status, lastEventId });
  }

  function say(message: TabMessage): void {
    if (!stopped.signal.aborted) channel?.postMessage(message);
  }

  return () => {
    stopped.abort();
    stopListening();
    cancelWatch();
    channel?.close();
  };
}
