"use client";

import { useCallback, useEffect, useMemo, useState } from "react";
import type { SessionClient } from "wallet-session/client";
import { useFeedEvent } from "wallet-session/react";
import { useAccount } from "../components/account.tsx";
import { type Loaded, useLoaded } from "../components/use-loaded.ts";
import { createGathering } from "./gathering.ts";
import { isStream, listStreams, type Stream, type StreamFilter, type StreamPage } from "./stream-data.ts";

const PAGE_SIZE = 20;
/** As many as the server gives at once. */
const LARGEST_PAGE = 100;
/** What changes all at once, as when many are settled, is asked for once. */
const GATHER_MS = 700;
/** While changes go on coming, this often. */
const GATHER_AT_MOST_MS = 3_000;

export interface StreamList extends Omit<Loaded<StreamPage>, "setData" | "learn"> {
  readonly loadMore: () => Promise<void>;
}

/** The streams that match, newest first, kept as they are on the server while the page is open. */
export function useStreamList({ status, role }: StreamFilter): StreamList {
  const { actorId } = useAccount();
  const filter = useMemo(() => ({ status, role }), [status, role]);
  const [wanted, setWanted] = useState({ filter, count: PAGE_SIZE });
  const shown = wanted.filter === filter ? wanted.count : PAGE_SIZE;

  const load = useCallback(
    async (asking: SessionClient): Promise<StreamPage> => {
      const page = await listFirst(asking, filter, shown);
      // An answer to somebody else, who has just signed in in this browser: the page is about to learn of it.
      if (page.streams.some((stream) => !isOf(stream, actorId))) await asking.check();
      return { ...page, streams: page.streams.filter((stream) => isOf(stream, actorId)) };
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
    if (!isStream(news) || !isOf(news, actorId)) return;
    const known = data?.streams.find(({ id }) => id === news.id);
    if (known === undefined || known.status !== news.status) reloadSoon();
    learn((last) => last && withNews(last, news));
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

function isOf({ sender, recipient }: Stream, actorId: string): boolean {
  return sender === actorId || recipient === actorId;
}

function withNews(page: StreamPage, news: Stream): StreamPage {
  const known = page.streams.find(({ id }) => id === news.id);
  if (known === undefined || known.version >= news.version) return page;
  return { ...page, streams: page.streams.map((stream) => (stream === known ? news : stream)) };
}

/** Calls `task` once for all calls that come within a moment, however long they go on. */
function useGathered(task: () => Promise<void>): () => void {
  const [gathering] = useState(() => createGathering(GATHER_MS, GATHER_AT_MOST_MS));
  useEffect(() => () => gathering.drop(), [gathering]);
  return () => gathering.run(() => void task());
}
