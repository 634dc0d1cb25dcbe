"use client";

import { useRouter } from "next/navigation";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useRef, useState } from "react";
import { createSessionClient, type SessionClient, type SessionState } from "wallet-session/client";
import { createSessionFeed } from "wallet-session/feed";
import { SessionProvider } from "wallet-session/react";
import { hasSignedInBefore, rememberSession } from "./last-session.ts";
import { read } from "./request.ts";

/** Who is signed in, in which session, and when that ends at the latest. Times in ISO 8601. */
export interface Account {
  readonly actorId: string;
  readonly sessionId: string;
  readonly createdAt: string;
  readonly expiresAt: string;
}

interface LoadedAccount {
  /** Null until the server has named it, and again as soon as the session has ended. */
  readonly account: Account | null;
  /** Why the last question failed; it is asked again by itself. */
  readonly error: unknown;
  /** This browser was signed in before the page was opened. Only a hint. */
  readonly hadSession: boolean;
  readonly reload: () => Promise<void>;
}

const LoadedContext = createContext<LoadedAccount | null>(null);
export const AccountContext = createContext<Account | null>(null);

interface AppSessionProps {
  /** The server's `REFRESH_LEEWAY`: a request and its answer must live less than that. */
  readonly leewaySeconds: number;
  /** The server's `COOKIE_NAME`. */
  readonly cookieName: string;
  /** The account the server has rendered the page for; null if unknown. */
  readonly initial: Account | null;
  readonly children: ReactNode;
}

const RETRY_MS = 5_000;

/**
 * The one client and the one live feed of the page, and whose page it is. After somebody else has signed in in this browser,
 * no data of the first person stays: not in the page's state, since `SignedIn` starts over, and not in the router's cache.
 */
export function AppSession({ cookieName, leewaySeconds, initial, children }: AppSessionProps) {
  const [client] = useState(() => createSessionClient({ cookieName, leewaySeconds }));
  const [feed] = useState(() => createSessionFeed({ client, url: "/api/events" }));
  const router = useRouter();
  const [account, setAccount] = useState(initial);
  const [error, setError] = useState<unknown>(null);
  const [hadSession, setHadSession] = useState(false);
  const shown = useRef(initial);

  useEffect(() => setHadSession(hasSignedInBefore()), []);

  const show = useCallback((next: Account | null) => {
    shown.current = next;
    setAccount(next);
    setError(null);
  }, []);

  const reload = useCallback(async () => {
    try {
      if (client.state.status === "unknown") await client.check();
      const { state } = client;
      if (state.status !== "signed-in") return;
      if (state.sessionId === shown.current?.sessionId) return setError(null);
      const loaded = await loadAccount(client);
      // The session has changed or ended meanwhile: a new one starts its own load.
      if (sessionIdOf(client.state) !== state.sessionId) return;
      // If the jar has changed hands since: once the client knows, this runs again.
      if (loaded.sessionId !== state.sessionId) return void (await client.check());
      if (shown.current !== null && shown.current.actorId !== loaded.actorId) router.refresh();
      show(loaded);
    } catch (cause) {
      setError(cause);
    }
  }, [client, router, show]);

  useEffect(() => {
    let sessionId: string | null = null;
    const follow = (state: SessionState) => {
      rememberSession(state);
      if (state.status === "signed-out") show(null);
      const last = sessionId;
      sessionId = sessionIdOf(state);
      if (sessionId !== null && sessionId !== last) void reload();
    };
    follow(client.state);
    return client.subscribe(follow);
  }, [client, reload, show]);

  useEffect(() => {
    if (error === null) return;
    const timer = setTimeout(() => void reload(), RETRY_MS);
    return () => clearTimeout(timer);
  }, [error, reload]);

  useEffect(() => {
    // A page from the browser's back-forward cache may belong to somebody who has signed out since.
    const whenShown = (event: PageTransitionEvent) => {
      if (event.persisted) location.reload();
    };
    window.addEventListener("pageshow", whenShown);
    return () => window.removeEventListener("pageshow", whenShown);
  }, []);

  return (
    <SessionProvider client={client} feed={feed}>
      <LoadedContext value={{ account, error, hadSession, reload }}>{children}</LoadedContext>
    </SessionProvider>
  );
}

function sessionIdOf(state: SessionState): string | null {
  return state.status === "signed-in" ? state.sessionId : null;
}

async function loadAccount(client: SessionClient): Promise<Account> {
  const answer = await read<{
    actor_id: string;
    session_id: string;
    created_at: string;
    session_expires_at: string;
  }>(client, "/api/auth/session");
  return {
    actorId: answer.actor_id,
    sessionId: answer.session_id,
    createdAt: answer.created_at,
    expiresAt: answer.session_expires_at,
  };
}

export function useLoadedAccount(): LoadedAccount {
  const loaded = useContext(LoadedContext);
  if (loaded === null) throw new Error("useLoadedAccount needs an AppSession around it");
  return loaded;
}

/** Who is signed in. Only inside a `SignedIn`. */
export function useAccount(): Account {
  const account = useContext(AccountContext);
  if (account === null) throw new Error("useAccount needs a SignedIn around it");
  return account;
}
