import type { Channel, ClientEnvironment, Locks } from "../client/environment.ts";
import type { SessionClient } from "../client.ts";
import { FeedConnection } from "./connection.ts";
import type { FeedEvent, FeedStatus } from "./feed-event.ts";
import { readTabMessage, type TabMessage } from "./tab-messages.ts";

/** Silence from the tab that holds the connection, after which it is asked whether it is still there. */
const ASK_AFTER_MS = 8_000;
/** A tab that does not answer within this is frozen. Messages reach a tab in the background without delay. */
const ANSWER_LIMIT_MS = 3_000;
/** Ids of events that are remembered, to know those again that come a second time by another tab. */
const IDS_REMEMBERED = 256;

export interface SharedFeedOptions {
  readonly client: SessionClient;
  readonly url: string;
  readonly environment: ClientEnvironment;
  /** Names the lock and the channel; other than that of every other session. */
  readonly name: string;
  readonly onEvent: (event: FeedEvent) => void;
  readonly onStatus: (status: FeedStatus) => void;
}

/** Stand in line for the lock; take it from a tab that is frozen; or do without locks and without the other tabs. */
type Turn = "wait" | "steal" | "alone";

/**
 * One tab's part in the feed of one session. Whichever tab has the lock holds the connection and passes on what comes;
 * the others stand in line for the lock, and take it from a tab that no longer answers. Where tabs cannot share, each has
 * a connection of its own.
 */
export class SharedFeed {
  readonly #options: SharedFeedOptions;
  readonly #environment: ClientEnvironment;
  readonly #connection: FeedConnection;
  /** Undefined where this tab is by itself. */
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
        // It may come without an event, and whoever takes over before there is one has to go on from there.
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

  /** Stands in line for the lock until this tab has stopped, also after another one has taken it away. */
  async #takePart(locks: Locks): Promise<void> {
    this.#say({ type: "hello" });
    let turn: Turn = "wait";
    while (turn !== "alone" && !this.#stopped.signal.aborted) turn = await this.#takeTurn(locks, turn);
    if (turn !== "alone") return;
    this.#channel?.close();
    this.#channel = undefined;
    await this.#lead(this.#stopped.signal);
  }

  /** Waits for the lock or takes it, and leads for as long as this tab has it. Gives what to do next. */
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
      // Called off, or taken by another tab. Else there are no locks to be had, as in a sandboxed frame.
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
        // Whoever has the connection, too, gets by itself what cannot be known again.
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
   * Once for each id. When the connection goes from one tab to another, the same event may come by both: a tab that was
   * frozen still reads what had reached it before. From one and the same tab an id that comes again is a new event, as
   * from a server that has begun to count anew. False for one that is known.
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
