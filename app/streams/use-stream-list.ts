"use client";

import { useCallback, useEffect, useMemo, useState } from "react";
import type { SessionClient } from "wallet-session/client";
import { useFeedEvent } from "wallet-session/react";
import { useAccount } from "../components/account.tsx";
import { useLoaded, withNews } from "../components/use-loaded.ts";
import { roleOf } from "../lib/streams/stream.ts";
import {
  isStream,
  listStreams,
  readStream,
  type Stream,
  type StreamFilter,
  type StreamPage,
} from "./stream-data.ts";

const PAGE_SIZE = 20;
/** As many as the server gives at once. */
const LARGEST_PAGE = 100;
/** What changes all at once, as when many are settled, is asked for once. */
const GATHER_MS = 700;
/** While changes go on coming, this often. */
const GATHER_AT_MOST_MS = 3_000;

/** The streams that match, newest first, kept as they are on the server while the page is open. */
export function useStreamList({ status, role }: StreamFilter) {
  const { actorId } = useAccount();
  const filter = useMemo(() => ({ status, role }), [status, role]);
  const [wanted, setWanted] = useState({ filter, count: PAGE_SIZE });
  const shown = wanted.filter === filter ? wanted.count : PAGE_SIZE;

  const load = useCallback(
    async (asking: SessionClient): Promise<StreamPage> => {
      const page = await listFirst(asking, filter, shown);
      // An answer to somebody else, who has just signed in in this browser: the page is about to learn of it.
      const streams = page.streams.filter((stream) => roleOf(stream, actorId) !== null);
      if (streams.length < page.streams.length) await asking.check();
      return { ...page, streams };
    },
    [filter, shown, actorId],
  );
  const { data, error, reload, learn } = useLoaded(load);

  const loadMore = useCallback(async () => {
    if (data === null || data.next_cursor === null) return;
    setWanted({ filter, count: data.streams.length + PAGE_SIZE });
  }, [data, filter]);

  const reloadSoon = useGathered(reload);
  useFeedEvent("stream.state", ({ data: news }) => {
    if (!isStream(news) || roleOf(news, actorId) === null) return;
    const known = data?.streams.find(({ id }) => id === news.id);
    if (known === undefined || known.status !== news.status) reloadSoon();
    learn((last) => last && { ...last, streams: withNews(last.streams, news) });
  });

  return { data, error, reload, loadMore };
}

/** The first so many that match, in as many requests as that takes. */
async function listFirst(client: SessionClient, filter: StreamFilter, count: number): Promise<StreamPage> {
  let page = await listStreams(client, filter, { limit: Math.min(count, LARGEST_PAGE) });
  while (page.next_cursor !== null && page.streams.length < count) {
    const limit = Math.min(count - page.streams.length, LARGEST_PAGE);
    const next = await listStreams(client, filter, { cursor: page.next_cursor, limit });
    page = { ...next, streams: [...page.streams, ...next.streams] };
  }
  return page;
}

/** Calls `task` once for all calls that come within a moment, however long they go on. */
function useGathered(task: () => Promise<void>): () => void {
  const [gathering] = useState(() => createGathering(GATHER_MS, GATHER_AT_MOST_MS));
  useEffect(() => () => gathering.drop(), [gathering]);
  return () => gathering.run(() => void task());
}

/** Runs a task once that is wanted many times within a moment. */
interface Gathering {
  /** Runs the last task that was given once none has been for a moment, and at the latest some time after the first. */
  run(task: () => void): void;
  /** Forgets what was given. */
  drop(): void;
}

/** @param quietMs without a new task, @param atMostMs after the first: in a stream of news there may be no quiet moment */
export function createGathering(quietMs: number, atMostMs: number): Gathering {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let latest: number | null = null;
  return {
    run(task) {
      const now = performance.now();
      latest ??= now + atMostMs;
      clearTimeout(timer);
      timer = setTimeout(
        () => {
          latest = null;
          task();
        },
        Math.max(0, Math.min(quietMs, latest - now)),
      );
    },
    drop() {
      clearTimeout(timer);
      latest = null;
    },
  };
}

export type OneStream = ReturnType<typeof useStream>;

/** One stream with its history, kept as it is on the server while the page is open. */
export function useStream(id: string) {
  const load = useCallback((client: SessionClient) => readStream(client, id), [id]);
  const { data, error, reload, setData } = useLoaded(load);
  /** Shows what is about to be so, or what was so after all, until the server says more. */
  const foresee = (stream: Stream) => setData((last) => last && { ...last, ...stream });
  /** Takes over an answer of the server at once; its history follows. */
  const accept = (stream: Stream) => {
    foresee(stream);
    void reload();
  };
  useFeedEvent("stream.state", ({ data: news }) => {
    if (isStream(news) && news.id === id && news.version > (data?.version ?? 0)) accept(news);
  });
  return { data, error, reload, accept, foresee };
}
