import type { Channel, ClientEnvironment, Locks } from "../client/environment.ts";
import type { SessionClient } from "../client.ts";
import { FeedConnection } from "./connection.ts";
import type { FeedEvent, FeedStatus } from "./feed-event.ts";
import { readTabMessage, type TabMessage } from "./tab-messages.ts";

/** After this silence, the tab that holds the connection is asked whether it is still there. */
const ASK_AFTER_MS = 8_000;
/** A tab that does not answer in this time is frozen. Messages reach a tab in the background without delay. */
const ANSWER_LIMIT_MS = 3_000;
/** How many event ids are remembered, to recognise events that come again from another tab. */
const IDS_REMEMBERED = 256;

export interface SharedFeedOptions {
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
 */
export class SharedFeed {
  readonly #options: SharedFeedOptions;
  readonly #environment: ClientEnvironment;
  readonly #connection: FeedConnection;
  /** Undefined if this tab is by itself. */
  #channel: Channel<TabMessage> | undefined;
  readonly #stopped = new AbortController();
  readonly #stopListening: () => void;
  readonly #self = crypto.getRandomValues(new Uint32Array(4)).join("-");
  #leads = false;
  #status: FeedStatus = "connecting";
  #lastEventId: string | null = null;
  /** Which tab an event came from. */
  readonly #seen = new Map<string, string>();
  #heardAt: number;
  #cancelWatch = () => {};

  constructor(options: SharedFeedOptions) {
    const { client, url, environment, name } = options;
    this.#options = options;
    this.#environment = environment;
    this.#heardAt = environment.now();
    const feed = this;
    this.#connection = new FeedConnection(client, url, environment, {
      get lastEventId() {
        return feed.#lastEventId;
      },
      onId: (id) => {
        const first = this.#lastEventId === null;
        this.#lastEventId = id;
        // An id may come without an event, and a tab that takes over before the first event has to go on from it.
        if (first) this.#sayStatus();
      },
      onEvent: (event) => {
        this.#say({ type: "event", from: this.#self, event });
        this.#deliver(this.#self, event);
      },
      onStatus: (status) => {
        this.#become(status);
        this.#sayStatus();
      },
    });
    this.#stopListening = environment.onWake(() => this.#wake());
    const { locks } = environment;
    if (locks !== undefined) {
      this.#channel = environment.openChannel(name, (message) => this.#hear(readTabMessage(message)));
    }
    if (locks === undefined || this.#channel === undefined) void this.#lead(this.#stopped.signal);
    else void this.#takePart(locks);
  }

  stop(): void {
    this.#stopped.abort();
    this.#stopListening();
    this.#cancelWatch();
    this.#channel?.close();
  }

  /** Waits in line for the lock until this tab stops, also after another tab has stolen it. */
  async #takePart(locks: Locks): Promise<void> {
    this.#say({ type: "hello" });
    let turn: Turn = "wait";
    while (turn !== "alone" && !this.#stopped.signal.aborted) turn = await this.#takeTurn(locks, turn);
    if (turn !== "alone") return;
    this.#channel?.close();
    this.#channel = undefined;
    await this.#lead(this.#stopped.signal);
  }

  /** Waits for the lock or steals it, and leads while this tab has it. Gives what to do next. */
  async #takeTurn(locks: Locks, turn: "wait" | "steal"): Promise<Turn> {
    const waiting = new AbortController();
    const leading = new AbortController();
    const over = () => {
      waiting.abort();
      leading.abort();
    };
    this.#stopped.signal.addEventListener("abort", over);
    let led: Promise<void> | undefined;
    let next: Turn = "wait";
    if (turn === "wait") {
      this.#watch(() => {
        next = "steal";
        waiting.abort();
      });
    }
    try {
      const options = turn === "steal" ? ({ steal: true } as const) : { signal: waiting.signal };
      await locks.request(this.#options.name, options, () => {
        led = this.#lead(leading.signal);
        return led;
      });
    } catch {
      // Called off, or stolen by another tab. Otherwise this page may have no locks, as in a sandboxed frame.
      if (led === undefined && !waiting.signal.aborted) next = "alone";
    } finally {
      over();
      this.#stopped.signal.removeEventListener("abort", over);
    }
    await led;
    return next;
  }

  async #lead(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    this.#cancelWatch();
    this.#leads = true;
    await this.#connection.run(signal);
    this.#leads = false;
  }

  /** Calls `whenFrozen` once the tab that holds the connection has left a question unanswered. */
  #watch(whenFrozen: () => void): void {
    const { after, now, random } = this.#environment;
    const askAfterMs = ASK_AFTER_MS * (1 + random() / 4);
    this.#heardAt = now();
    const ask = (inMs: number) => {
      this.#cancelWatch = after(inMs, () => {
        const leftMs = this.#heardAt + askAfterMs - now();
        if (leftMs > 0) return ask(leftMs);
        const askedAt = now();
        this.#say({ type: "hello" });
        this.#cancelWatch = after(ANSWER_LIMIT_MS, () => {
          if (this.#heardAt < askedAt) whenFrozen();
          else ask(askAfterMs);
        });
      });
    };
    ask(askAfterMs);
  }

  #hear(message: TabMessage | undefined): void {
    if (message === undefined || this.#stopped.signal.aborted) return;
    switch (message.type) {
      case "hello":
        if (this.#leads) this.#sayStatus();
        return;
      case "woken":
        if (this.#leads) this.#connection.wake();
        return;
      case "status":
        this.#heardAt = this.#environment.now();
        if (this.#leads) return;
        this.#lastEventId = message.lastEventId ?? this.#lastEventId;
        this.#become(message.status);
        return;
      case "event":
        this.#heardAt = this.#environment.now();
        // The tab with the connection, too, gets by itself what cannot be known again.
        if (this.#leads && message.event.id === null) return;
        if (this.#deliver(message.from, message.event) && !this.#leads) {
          this.#lastEventId = message.event.id ?? this.#lastEventId;
          // Only a connection that stands brings any, whatever a tab that thaws may have said of its own.
          this.#become("live");
        }
        return;
      default:
        message satisfies never;
    }
  }

  #wake(): void {
    if (this.#leads) this.#connection.wake();
    else this.#say({ type: "woken" });
  }

  /**
   * Delivers each id once. When the connection moves to another tab, both may pass the same event on: a frozen tab still reads
   * what had reached it before. An id that comes again from the same tab is a new event, of a server that counts anew. False
   * for a known event.
   */
  #deliver(from: string, event: FeedEvent): boolean {
    if (this.#stopped.signal.aborted) return false;
    if (event.id !== null) {
      const seenFrom = this.#seen.get(event.id);
      if (seenFrom !== undefined && seenFrom !== from) return false;
      this.#seen.set(event.id, from);
      const [oldest] = this.#seen.keys();
      if (this.#seen.size > IDS_REMEMBERED && oldest !== undefined) this.#seen.delete(oldest);
    }
    this.#options.onEvent(event);
    return true;
  }

  #become(status: FeedStatus): void {
    if (this.#stopped.signal.aborted || status === this.#status) return;
    this.#status = status;
    this.#options.onStatus(status);
  }

  #sayStatus(): void {
    this.#say({
      type: "status",
      from: this.#self,
      status: this.#status,
      lastEventId: this.#lastEventId,
    });
  }

  #say(message: TabMessage): void {
    if (!this.#stopped.signal.aborted) this.#channel?.postMessage(message);
  }
}
