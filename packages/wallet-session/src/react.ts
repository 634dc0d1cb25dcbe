"use client";

import * as React from "react";
import type { SessionClient, SessionState } from "./client.ts";
import type { FeedEvent, FeedStatus, SessionFeed } from "./feed.ts";

export interface SessionProviderProps {
  /** One for the page: make it outside the components, or keep it in a state. Started while the provider is mounted. */
  readonly client: SessionClient;
  /**
   * The feed of that client, started while the provider is mounted.
   * @default no feed: {@link useFeed} gives null, {@link useFeedStatus} `idle`
   */
  readonly feed?: SessionFeed | undefined;
  /**
   * Asks the server who is signed in once mounted, and again until it answers. Otherwise the state stays `unknown` until
   * something asks.
   * @default false
   */
  readonly check?: boolean | undefined;
  readonly children?: React.ReactNode;
}

interface Provided {
  readonly client: SessionClient;
  readonly feed: SessionFeed | undefined;
}

const SessionContext = React.createContext<Provided | null>(null);
const UNKNOWN: SessionState = { status: "unknown" };

/**
 * Runs the client and the feed while it is mounted, and gives them to the hooks below it. On the server it sends and starts
 * nothing.
 * @example
 * ```ts
 * import { createElement } from "react";
 * import { createSessionClient } from "wallet-session/client";
 * import { SessionProvider, useSession } from "wallet-session/react";
 *
 * const client = createSessionClient();
 * const Greeting = () => createElement("p", null, useSession().status);
 * export const App = () => createElement(SessionProvider, { client, check: true }, createElement(Greeting));
 * ```
 */
export function SessionProvider({
  client,
  feed,
  check = false,
  children,
}: SessionProviderProps): React.ReactElement {
  React.useEffect(() => client.start(), [client]);
  React.useEffect(() => feed?.start(), [feed]);
  React.useEffect(() => {
    // If the server decides nothing, the client asks again.
    if (check && client.state.status === "unknown") client.check().catch(() => {});
  }, [client, check]);
  const value = React.useMemo(() => ({ client, feed }), [client, feed]);
  return React.createElement(SessionContext.Provider, { value }, children);
}

/**
 * The provider's client, to sign in and out and to fetch with.
 * @throws Error outside a {@link SessionProvider}
 */
export function useSessionClient(): SessionClient {
  return useProvided().client;
}

/**
 * The present state; the component renders again with each new one. It is `unknown` while rendering on the server, and in the
 * first render in the browser.
 * @throws Error outside a {@link SessionProvider}
 * @example
 * ```ts
 * import { useSession, useSessionClient } from "wallet-session/react";
 *
 * export function useSignOut() {
 *   const client = useSessionClient();
 *   const { status } = useSession();
 *   return status === "signed-in" ? () => client.signOut() : null;
 * }
 * ```
 */
export function useSession(): SessionState {
  const { client } = useProvided();
  return React.useSyncExternalStore(
    client.subscribe,
    () => client.state,
    () => UNKNOWN,
  );
}

/** The provider's feed; null if it has none. */
export function useFeed(): SessionFeed | null {
  return useProvided().feed ?? null;
}

/** The feed's status; the component renders again when it changes. `idle` if there is no feed. */
export function useFeedStatus(): FeedStatus {
  const feed = useFeed();
  return React.useSyncExternalStore(
    feed?.onStatus ?? subscribeToNothing,
    () => feed?.status ?? "idle",
    () => "idle",
  );
}

/** Calls the latest `handler` with each event of the type while the component is mounted. */
export function useFeedEvent(type: string, handler: (event: FeedEvent) => void): void {
  const feed = useFeed();
  const latest = React.useRef(handler);
  React.useEffect(() => {
    latest.current = handler;
  });
  React.useEffect(
    () =>
      feed?.subscribe((event) => {
        if (event.type === type) latest.current(event);
      }),
    [feed, type],
  );
}

function useProvided(): Provided {
  const provided = React.useContext(SessionContext);
  if (provided === null) throw new Error("This hook needs a SessionProvider around its component");
  return provided;
}

const subscribeToNothing = () => () => {};
