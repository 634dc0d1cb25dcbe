"use client";

import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from "react";
import { createSessionClient, type SessionClient, type SessionState } from "wallet-session/client";

const SessionContext = createContext<SessionClient | null>(null);

/**
 * Remembers that this browser has signed in, so that nobody asks the server about a session that never was. It is a
 * hint and no more: nothing is shown or granted for it.
 */
const HINT = "streampay.signed-in";

interface SessionProviderProps {
  /** The server's `REFRESH_LEEWAY`: a request and its answer must live less than that. */
  readonly leewaySeconds: number;
  readonly children: ReactNode;
}

export function SessionProvider({ leewaySeconds, children }: SessionProviderProps) {
  const [client] = useState(() => createSessionClient({ leewaySeconds }));

  useEffect(() => {
    const stop = client.start();
    const unsubscribe = client.subscribe((state) => {
      if (state.status === "signed-in") localStorage.setItem(HINT, "1");
      else if (state.status === "signed-out") localStorage.removeItem(HINT);
    });
    return () => {
      unsubscribe();
      stop();
    };
  }, [client]);

  return <SessionContext value={client}>{children}</SessionContext>;
}

export function useSessionClient(): SessionClient {
  const client = useContext(SessionContext);
  if (client === null) throw new Error("useSessionClient needs a SessionProvider around it");
  return client;
}

export function useSessionState(): SessionState {
  const client = useSessionClient();
  return useSyncExternalStore(
    client.subscribe,
    () => client.state,
    () => client.state,
  );
}

export function hasSignedInBefore(): boolean {
  return localStorage.getItem(HINT) !== null;
}
