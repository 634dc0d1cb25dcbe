"use client";

import { type Dispatch, type SetStateAction, useCallback, useEffect, useRef, useState } from "react";
import type { SessionClient } from "wallet-session/client";
import { useFeedStatus, useSessionClient } from "wallet-session/react";

export interface Loaded<T> {
  /** The last data that was loaded; null before the first. */
  readonly data: T | null;
  /** Why the last load failed; `data` then keeps its value. Null after a success. */
  readonly error: unknown;
  readonly reload: () => Promise<void>;
  /** Shows something until the next load. */
  readonly setData: Dispatch<SetStateAction<T | null>>;
  /**
   * Takes over news of the server, as from the feed. A load under way may have been answered before the news, so `update` is
   * applied to its answer too; it must leave newer data alone.
   */
  readonly learn: (update: Update<T>) => void;
}

type Update<T> = (last: T | null) => T | null;

const NOT_LOADED = { data: null, error: null };

/**
 * Loads with `load`: at first, when `load` changes, when the page is seen again or comes online, when the feed is connected
 * again and may have missed something, and on demand. If answers overtake each other, the one to the last question counts.
 *
 * `fed`: events tell of changes, so what happens between the first load and the first connection has to be asked for too.
 */
export function useLoaded<T>(
  load: (client: SessionClient) => Promise<T>,
  { fed = true }: { fed?: boolean } = {},
): Loaded<T> {
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
  const missable = useRef(fed);
  useEffect(() => {
    // A feed that is back may have missed something; one that is lost brings nothing new.
    if ((live && missable.current) || asked.current !== reload) void reload();
    asked.current = reload;
    if (live) missable.current = true;
  }, [reload, live]);

  useEffect(() => {
    // A session that is renewed, or begun again, may cure what has failed.
    return error === null ? undefined : client.subscribe(() => void reload());
  }, [client, error, reload]);

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

interface Versioned {
  readonly id: string;
  readonly version: number;
}

/** A list with news of one of its items, unless something newer is known. */
export function withNews<T extends Versioned>(items: readonly T[], news: T): readonly T[] {
  return items.map((item) => (item.id === news.id && item.version < news.version ? news : item));
}

/**
 * Decides which answer counts if loads and news overtake each other: the answer to the last question, with the news that came
 * while it was under way, since the server may have written the answer before that.
 */
export class LoadTurns<T> {
  #last = 0;
  #underWay = false;
  #learned: Update<T>[] = [];

  /** A question goes out. Its answer includes all news from before. */
  begin(): number {
    this.#last += 1;
    this.#underWay = true;
    this.#learned = [];
    return this.#last;
  }

  learn(update: Update<T>): void {
    if (this.#underWay) this.#learned.push(update);
  }

  /** The question `turn` was answered, or failed. False if a later question has been asked. */
  end(turn: number): boolean {
    if (turn !== this.#last) return false;
    this.#underWay = false;
    return true;
  }

  /** The answer to the last question, with the news that came meanwhile. */
  withLearned(loaded: T): T | null {
    return this.#learned.reduce<T | null>((last, update) => update(last), loaded);
  }
}
