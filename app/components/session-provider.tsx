"use client";

import { type ReactNode, useEffect, useState } from "react";
import { createSessionClient } from "wallet-session/client";
import { createSessionFeed } from "wallet-session/feed";
import { SessionProvider } from "wallet-session/react";
import { rememberSession } from "./last-session.ts";

interface AppSessionProviderProps {
  /** The server's `REFRESH_LEEWAY`: a request and its answer must live less than that. */
  readonly leewaySeconds: number;
  readonly children: ReactNode;
}

/** The one client and the one live feed of the page. */
export function AppSessionProvider({ leewaySeconds, children }: AppSessionProviderProps) {
  const [client] = useState(() => createSessionClient({ leewaySeconds }));
  const [feed] = useState(() => createSessionFeed({ client, url: "/api/events" }));

  useEffect(() => client.subscribe(rememberSession), [client]);

  return (
    <SessionProvider client={client} feed={feed}>
      {children}
    </SessionProvider>
  );
}
