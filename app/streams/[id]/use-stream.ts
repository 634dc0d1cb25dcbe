"use client";

import { useCallback, useEffect, useRef } from "react";
import type { SessionClient } from "wallet-session/client";
import { useFeedEvent } from "wallet-session/react";
import { type Loaded, useLoaded } from "../../components/use-loaded.ts";
import { isStream, readStream, type Stream, type StreamWithHistory } from "../stream-data.ts";

export interface OneStream extends Omit<Loaded<StreamWithHistory>, "setData" | "learn"> {
  /** Takes over an answer of the server at once; its history follows. */
  readonly accept: (stream: Stream) => void;
  /** Shows what is about to be so, or what was so after all, until the server says more. */
  readonly foresee: (stream: Stream) => void;
}

/** One stream with its history, kept as it is on the server while the page is open. */
export function useStream(id: string): OneStream {
  const load = useCallback((client: SessionClient) => readStream(client, id), [id]);
  const { data, error, reload, setData } = useLoaded(load);
  const version = useRef(0);
  useEffect(() => {
    version.current = data?.version ?? 0;
  }, [data]);

  const accept = useCallback(
    (stream: Stream) => {
      setData((last) => last && { ...last, ...stream });
      void reload();
    },
    [reload, setData],
  );
  const foresee = useCallback(
    (stream: Stream) => setData((last) => last && { ...last, ...stream }),
    [setData],
  );
  useFeedEvent("stream.state", ({ data: news }) => {
    if (isStream(news) && news.id === id && news.version > version.current) accept(news);
  });

  return { data, error, reload, accept, foresee };
}
