"use client";

import { useFeedEvent } from "wallet-session/react";
import { type Loaded, useLoaded } from "../components/use-loaded.ts";
import { isOperation, listOperations, type Operation } from "./operation-data.ts";

/** The latest operations of the account, newest first, kept as they are on the server. */
export function useOperations(): Omit<Loaded<readonly Operation[]>, "setData" | "learn"> {
  const { data, error, reload, learn } = useLoaded(listOperations);
  useFeedEvent("operation.state", ({ data: news }) => {
    if (!isOperation(news)) return;
    learn((last) => last && withNews(last, news));
  });
  return { data, error, reload };
}

function withNews(operations: readonly Operation[], news: Operation): readonly Operation[] {
  const known = operations.find(({ id }) => id === news.id);
  if (known === undefined) return [news, ...operations];
  if (known.version >= news.version) return operations;
  return operations.map((operation) => (operation === known ? news : operation));
}
