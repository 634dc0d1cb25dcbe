"use client";

import { useCallback } from "react";
import type { SessionClient } from "wallet-session/client";
import { useFeedEvent } from "wallet-session/react";
import { type Loaded, useLoaded } from "../../components/use-loaded.ts";
import { isOperation, type Operation, readOperation } from "../operation-data.ts";

export interface OneOperation extends Omit<Loaded<Operation>, "setData" | "learn"> {
  /** Takes over what the server says, unless something newer is known. */
  readonly accept: (operation: Operation) => void;
}

/** One operation, kept as it is on the server while the page is open. */
export function useOperation(id: string): OneOperation {
  const load = useCallback((client: SessionClient) => readOperation(client, id), [id]);
  const { data, error, reload, learn } = useLoaded(load);
  const accept = useCallback(
    (news: Operation) => learn((last) => (last === null || last.version < news.version ? news : last)),
    [learn],
  );
  useFeedEvent("operation.state", ({ data: news }) => {
    if (isOperation(news) && news.id === id) accept(news);
  });
  return { data, error, reload, accept };
}
