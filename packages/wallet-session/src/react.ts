"use client";

import {
  createContext,
  createElement,
  type ReactElement,
  type ReactNode,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useSyncExternalStore,
} from "react";
import type { SessionClient, SessionState } from "./client.ts";
import type { FeedEvent, FeedStatus, SessionFeed } from "./feed.ts";

export interface SessionProviderProps {
  /** One for the page: make it outside the components, or keep it in a state. */
  readonly client: SessionClient;
  /** Of that client. Without it, the hooks of the feed have nothing to follow. */
  readonly feed?: SessionFeed | undefined;
  /** Asks the server who is signed in as soon as the page is there. Otherwise the state stays `unknown` until it is asked. */
  readonly check?: boolean | undefined;
  readonly children?: ReactNode;
}

interface Provided {
  readonly client: SessionClient;
  readonly feed: SessionFeed | undefined;
}

const SessionContext = createContext<Provided | null>(null);
const UNKNOWN: SessionState = { status: "unknown" };

/** Runs the client and the feed for as long as it is mounted. On the server it sends nothing and starts nothing. */
export function SessionProvider({
  client,
  feed,
  check = false,
  children,
}: SessionProviderProps): ReactElement {
  useEffect(() => client.start(), [client]);
  useEffect(() => feed?.start(), [feed]);
  useEffect(() => {
    // Where nothing is decided, the state says so by staying as it is.
    if (check && client.state.status === "unknown") client.check().catch(() => {});
  }, [client, check]);
  const value = useMemo(() => ({ client, feed }), [client, feed]);
  return createElement(SessionContext, { value }, children);
}

/** @throws Error outside a SessionProvider */
export function useSessionClient(): SessionClient {
  return useProvided().client;
}

/** The present state. While rendering on the server, and for the first render in the browser, it is `unknown`. */
export function useSession(): SessionState {
  const { client } = useProvided();
  return useSyncExternalStore(
    client.subscribe,
    () => client.state,
    () => UNKNOWN,
  );
}

/** The provider's feed; null where it has none. */
export function useFeed(): SessionFeed | null {
  return useProvided().feed ?? null;
}

/** `idle` where there is no feed. */
export function useFeedStatus(): FeedStatus {
  const feed = useFeed();
  return useSyncExternalStore(
    feed?.onStatus ?? subscribeToNothing,
    () => feed?.status ?? "idle",
    () => "idle",
  );
}

/** Calls the latest `handler` with each event of the type, for as long as the component is mounted. */
export function useFeedEvent(type: string, handler: (event: FeedEvent) => void): void {
  const feed = useFeed();
  const latest = useRef(handler);
  useEffect(() => {
    latest.current = handler;
  });
  useEffect(
    () =>
      feed?.subscribe((event) => {
        if (event.type === type) latest.current(event);
      }),
    [feed, type],
  );
}

function useProvided(): Provided {
  const provided = useContext(SessionContext);
  if (provided === null) throw new Error("This hook needs a SessionProvider around its component");
  return provided;
}

const subscribeToNothing = () => () => {};
