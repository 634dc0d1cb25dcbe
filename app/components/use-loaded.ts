"use client";

import { type Dispatch, type SetStateAction, useCallback, useEffect, useRef, useState } from "react";
import type { SessionClient } from "wallet-session/client";
import { useFeedStatus, useSessionClient } from "wallet-session/react";
import { LoadTurns } from "./load-turns.ts";

export interface Loaded<T> {
  /** What was had last; null until something was. */
  readonly data: T | null;
  /** Why the last try failed; `data` is then what it was. */
  readonly error: unknown;
  readonly reload: () => Promise<void>;
  /** For what is shown until the next load says what is so. */
  readonly setData: Dispatch<SetStateAction<T | null>>;
  /**
   * For news of the server, as from the feed. A load that is under way may have been answered before it: `update` is
   * asked of its answer too, and leaves alone what is newer.
   */
  readonly learn: (update: (last: T | null) => T | null) => void;
}

const NOT_LOADED = { data: null, error: null };

/**
 * Loads what `load` asks for, again whenever it is another function, when the page is seen again or comes online, when
 * the feed has its connection back and may have missed something, and on demand. Of answers that overtake each other the
 * one to the last question counts.
 */
export function useLoaded<T>(load: (client: SessionClient) => Promise<T>): Loaded<T> {
  const client = useSessionClient();
  const live = useFeedStatus() === "live";
  const [{ data, error }, setState] = useState<{ data: T | null; error: unknown }>(NOT_LOADED);
  const [turns] = useState(() => new LoadTurns<T>());

  const reload = useCallback(async () => {
    const turn = turns.begin();
    try {
      const loaded = await load(client);
      if (turns.end(turn)) setState({ data: turns.withLearned(loaded), error: null });
    } catch (cause) {
      if (turns.end(turn)) setState((last) => ({ ...last, error: cause }));
    }
  }, [client, load, turns]);

  const setData = useCallback<Loaded<T>["setData"]>((next) => {
    setState((last) => {
      const data = next instanceof Function ? next(last.data) : next;
      return data === last.data ? last : { ...last, data };
    });
  }, []);

  const learn = useCallback<Loaded<T>["learn"]>(
    (update) => {
      turns.learn(update);
      setData(update);
    },
    [turns, setData],
  );

  const asked = useRef<Loaded<T>["reload"]>(undefined);
  useEffect(() => {
    // A feed that is back may have missed something; one that is lost brings nothing new.
    if (live || asked.current !== reload) void reload();
    asked.current = reload;
  }, [reload, live]);

  useEffect(() => {
    const whenSeen = () => {
      if (document.visibilityState === "visible") void reload();
    };
    document.addEventListener("visibilitychange", whenSeen);
    window.addEventListener("online", whenSeen);
    return () => {
      document.removeEventListener("visibilitychange", whenSeen);
      window.removeEventListener("online", whenSeen);
    };
  }, [reload]);

  return { data, error, reload, setData, learn };
}
