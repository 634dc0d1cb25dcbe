"use client";

import { useCallback, useEffect, useRef, useState } from "react";
import { useSessionClient, useSessionState } from "../components/session-context.tsx";
import { loadSessionData, type SessionData } from "./session-data.ts";

/** How soon the page notices what was done on another device. */
const RELOAD_MS = 10_000;

export interface LoadedSessionData {
  readonly data: SessionData | null;
  /** Why the last load failed; the data is then the last that was had. */
  readonly error: unknown;
  readonly reload: () => Promise<void>;
}

/** Who is signed in and where: asked again after each renewal, every few seconds while the page is seen, and on demand. */
export function useSessionData(): LoadedSessionData {
  const client = useSessionClient();
  const state = useSessionState();
  const [data, setData] = useState<SessionData | null>(null);
  const [error, setError] = useState<unknown>(null);
  const latest = useRef(0);

  const reload = useCallback(async () => {
    latest.current += 1;
    const turn = latest.current;
    try {
      // Finds out who is signed in, renewing where it must, so that the two calls after it need not.
      if (client.state.status === "unknown") await client.check();
      if (client.state.status !== "signed-in") return;
      const loaded = await loadSessionData(client);
      if (turn !== latest.current) return;
      setData(loaded);
      setError(null);
    } catch (cause) {
      if (turn === latest.current) setError(cause);
    }
  }, [client]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each answer of the server makes a new state
  useEffect(() => {
    void reload();
  }, [reload, state]);

  useEffect(() => {
    const whenSeen = () => {
      if (document.visibilityState === "visible" && client.state.status !== "signed-out") void reload();
    };
    const timer = setInterval(whenSeen, RELOAD_MS);
    document.addEventListener("visibilitychange", whenSeen);
    window.addEventListener("online", whenSeen);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", whenSeen);
      window.removeEventListener("online", whenSeen);
    };
  }, [client, reload]);

  return { data, error, reload };
}
