"use client";

import { useCallback, useEffect, useMemo, useState } from "react";
import type { SessionClient } from "wallet-session/client";
import { useFeedEvent, useSessionClient } from "wallet-session/react";
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
  const client = useSessionClient();
  const { actorId } = useAccount();
  const filter = useMemo(() => ({ status, role }), [status, role]);
  const [wanted, setWanted] = useState({ filter, count: PAGE_SIZE });
  const shown = wanted.filter === filter ? wanted.count : PAGE_SIZE;

  const load = useCallback(
    async (asking: SessionClient): Promise<StreamPage> => {
      const page = await listStreams(asking, filter, { limit: Math.min(shown, LARGEST_PAGE) });
      // An answer to somebody else, who has just signed in in this browser: the page is about to learn of it.
      if (page.streams.some((stream) => !isOf(stream, actorId))) await asking.check();
      return { ...page, streams: page.streams.filter((stream) => isOf(stream, actorId)) };
    },
    [filter, shown, actorId],
  );
  const { data, error, reload, setData, learn } = useLoaded(load);

  const loadMore = useCallback(async () => {
    if (data === null || data.next_cursor === null) return;
    if (data.streams.length < LARGEST_PAGE) {
      setWanted({ filter, count: data.streams.length + PAGE_SIZE });
      return;
    }
    const next = await listStreams(client, filter, { cursor: data.next_cursor, limit: PAGE_SIZE });
    setData((last) => last && { ...next, streams: [...last.streams, ...next.streams] });
  }, [client, data, filter, setData]);

  const reloadSoon = useGathered(reload);
  useFeedEvent("stream.state", ({ data: news }) => {
    if (!isStream(news) || !isOf(news, actorId)) return;
    const known = data?.streams.find(({ id }) => id === news.id);
    if (known === undefined || known.status !== news.status) reloadSoon();
    learn((last) => last && withNews(last, news));
  });

  return { data, error, reload, loadMore };
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
