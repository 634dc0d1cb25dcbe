import { browserEnvironment, type ClientEnvironment } from "./client/environment.ts";
import { Listeners } from "./client/listeners.ts";
import { startOnce } from "./client/start-once.ts";
import type { SessionClient } from "./client.ts";
import type { FeedEvent, FeedStatus } from "./feed/feed-event.ts";
import { SharedFeed } from "./feed/shared-feed.ts";

export type { FeedEvent, FeedStatus } from "./feed/feed-event.ts";

export interface SessionFeedOptions {
  /** Whose session the feed follows; it must have been started for the tabs to hear of each other's sign-ins. */
  readonly client: SessionClient;
  /** Where the server sends events of the session and of what the actor may see. */
  readonly url: string;
  readonly environment?: Partial<ClientEnvironment>;
}

/** The live events of whoever is signed in: one connection for all tabs of the browser. */
export interface SessionFeed {
  /**
   * From now on connects whenever somebody is signed in, and stops when nobody is. The function returned ends that.
   * Where it runs already, a second call starts nothing.
   */
  start(): () => void;

  readonly status: FeedStatus;

  /** Calls `listener` after each change of `status`. The function returned ends that. */
  onStatus(listener: () => void): () => void;

  /**
   * Calls `listener` with each event, the server's words on the session included. In the server's order, once each where
   * they have ids, and never one of another session than the client's state names at that moment. After a lost connection
   * the server is asked to go on from the last id; what has none, or the server has forgotten, is not made up for, so
   * a page loads anew what it shows whenever `status` becomes `live`. The function returned ends it.
   */
  subscribe(listener: (event: FeedEvent) => void): () => void;
}

/** Makes a feed. Nothing is sent before it is started. */
export function createSessionFeed({ client, url, ...options }: SessionFeedOptions): SessionFeed {
  const environment = { ...browserEnvironment(), ...options.environment };
  const events = new Listeners<[FeedEvent]>();
  const statusChanges = new Listeners<[]>();
  let status: FeedStatus = "idle";
  let shared: { readonly sessionId: string; readonly stop: () => void } | undefined;

  function become(next: FeedStatus): void {
    if (next === status) return;
    status = next;
    statusChanges.tell();
  }

  /** One feed for each session: with another one all begins anew, the names of lock and channel included. */
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
    const own = new SharedFeed({
      client,
      url,
      environment,
      name: `wallet-session feed ${url} ${sessionId}`,
      onEvent: (event) => events.tell(event),
      onStatus: become,
    });
    shared = { sessionId, stop: () => own.stop() };
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
    onStatus: (listener) => statusChanges.add(listener),
    subscribe: (listener) => events.add(listener),
  };
}
