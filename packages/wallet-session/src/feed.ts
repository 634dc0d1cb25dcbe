import { browserEnvironment, type ClientEnvironment } from "./client/environment.ts";
import { createListeners } from "./client/listeners.ts";
import { startOnce } from "./client/start-once.ts";
import type { SessionClient } from "./client.ts";
import type { FeedEvent, FeedStatus } from "./feed/feed-event.ts";
import { joinSharedFeed } from "./feed/shared-feed.ts";

export { type EventStreamListener, readEventStream } from "./feed/event-stream.ts";
export type { FeedEvent, FeedStatus } from "./feed/feed-event.ts";

export interface SessionFeedOptions {
  /** The client whose session the feed follows. Start it too, so that tabs hear of each other's sign-ins. */
  readonly client: SessionClient;
  /** The event stream: an endpoint that answers with the handlers' `eventStream`. A path of the page's origin, or a URL. */
  readonly url: string;
  /**
   * Parts of the page to replace, as for {@link createSessionClient}.
   * @default the page itself
   */
  readonly environment?: Partial<ClientEnvironment>;
}

/** The live events of the signed-in session, on one connection for all tabs of the browser. Made by {@link createSessionFeed}. */
export interface SessionFeed {
  /**
   * Connects whenever somebody is signed in, and disconnects when nobody is. Reconnects after a lost connection, at most 30
   * seconds apart unless the server asks for more. The function returned stops it. A second call while it runs starts nothing.
   */
  start(): () => void;

  /** `idle` until the feed is started and somebody is signed in. */
  readonly status: FeedStatus;

  /** Calls `listener` after each change of `status`. The function returned unsubscribes it. */
  onStatus(listener: () => void): () => void;

  /**
   * Calls `listener` with each event, the server's events about the session included, in the server's order. Events with an
   * id come once each. Events of another session than the client's state names at that moment are dropped.
   *
   * After a lost connection the feed asks the server to go on from the last id. Events without an id, and those the server
   * no longer has, are NOT made up for: load the page's data again whenever `status` becomes `live`.
   * The function returned unsubscribes the listener.
   */
  subscribe(listener: (event: FeedEvent) => void): () => void;
}

/**
 * Makes the feed of a page. It sends nothing before {@link SessionFeed.start}. One tab of the browser holds the connection
 * and passes events on; another tab takes over when it is closed or frozen. Without Web Locks or channels each tab connects.
 * @example
 * ```ts
 * import { createSessionClient } from "wallet-session/client";
 * import { createSessionFeed } from "wallet-session/feed";
 *
 * const client = createSessionClient();
 * const feed = createSessionFeed({ client, url: "/api/auth/events" });
 * feed.subscribe(({ type, data }) => console.log(type, data));
 * client.start();
 * feed.start();
 * ```
 */
export function createSessionFeed({ client, url, ...options }: SessionFeedOptions): SessionFeed {
  const environment = { ...browserEnvironment(), ...options.environment };
  const events = createListeners<[FeedEvent]>();
  const statusChanges = createListeners<[]>();
  let status: FeedStatus = "idle";
  let shared: { readonly sessionId: string; readonly stop: () => void } | undefined;

  function become(next: FeedStatus): void {
    if (next === status) return;
    status = next;
    statusChanges.tell();
  }

  /** Each session has a feed of its own, with its own lock and channel. */
  function follow(): void {
    const { state } = client;
    const sessionId = state.status === "signed-in" ? state.sessionId : undefined;
    if (shared?.sessionId === sessionId) return;
    shared?.stop();
    shared = undefined;
    if (sessionId === undefined) {
      become("idle");
      return;
    }
    const stop = joinSharedFeed({
      client,
      url,
      environment,
      name: `wallet-session feed ${url} ${sessionId}`,
      onEvent: events.tell,
      onStatus: become,
    });
    shared = { sessionId, stop };
    become("connecting");
  }

  function run(): () => void {
    const unsubscribe = client.subscribe(follow);
    follow();
    return () => {
      unsubscribe();
      shared?.stop();
      shared = undefined;
      become("idle");
    };
  }

  return {
    get status() {
      return status;
    },
    start: startOnce(run),
    onStatus: statusChanges.add,
    subscribe: events.add,
  };
}
