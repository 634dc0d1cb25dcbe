"use client";

import { useCallback } from "react";
import type { SessionClient } from "wallet-session/client";
import { useFeedEvent } from "wallet-session/react";
import { change, read } from "../components/request.ts";
import { type Loaded, useLoaded, withNews } from "../components/use-loaded.ts";
import type { operationJson } from "../lib/operations/operation.ts";
import type { Failure } from "../lib/operations/tables.ts";

export type { Failure };

/** A long operation as the API tells it (docs/api.md). */
export type Operation = ReturnType<typeof operationJson>;

/** Newest first. @throws SessionClientError */
async function listOperations(client: SessionClient): Promise<readonly Operation[]> {
  const { operations } = await read<{ operations: readonly Operation[] }>(client, "/api/operations");
  return operations;
}

/** Starts settling the streams named, or every one that is under way. @throws SessionClientError */
export function settleStreams(
  client: SessionClient,
  streamIds: readonly string[] | "all",
): Promise<Operation> {
  return change(client, "/api/operations", { body: { type: "settle_streams", stream_ids: streamIds } });
}

/** @throws SessionClientError */
export function commandOperation(
  client: SessionClient,
  id: string,
  command: "resume" | "cancel",
): Promise<Operation> {
  return change(client, `${operationPath(id)}/${command}`);
}

function isOperation(data: unknown): data is Operation {
  return typeof data === "object" && data !== null && "id" in data && "version" in data && "total" in data;
}

/** It goes on by itself. */
export function isUnderWay({ status }: Operation): boolean {
  return status === "queued" || status === "running";
}

function operationPath(id: string): string {
  return `/api/operations/${encodeURIComponent(id)}`;
}

/** Why a stream was not settled. */
export const FAILURE_WORDS: Readonly<Record<Failure["reason"], string>> = {
  recipient_missing: "the recipient’s account is not on the network",
  recipient_refuses: "the recipient’s account does not take the payment",
  rejected: "the network does not take the payment",
};

export function streamCount(count: number): string {
  return count === 1 ? "1 stream" : `${count.toLocaleString("en")} streams`;
}

/** What it is about and how it stands: "Settling 12 streams". */
export function statusText({ status, total, failed }: Operation): string {
  switch (status) {
    case "queued":
      return `About to settle ${streamCount(total)}`;
    case "running":
      return `Settling ${streamCount(total)}`;
    case "paused":
      return `Settling ${streamCount(total)} is paused`;
    case "completed":
      return failed === 0
        ? `Settled ${streamCount(total)}`
        : `Settled all but ${failed} of ${streamCount(total)}`;
    case "cancelled":
      return `Settling ${streamCount(total)} was cancelled`;
  }
}

/** "412 of 1,000" */
export function progressText({ done, total }: Operation): string {
  return `${done.toLocaleString("en")} of ${total.toLocaleString("en")}`;
}

/** Seconds until all is done at the present pace; null where there is none. */
export function secondsLeft({ status, done, total, rate_per_second: rate }: Operation): number | null {
  if (status !== "running" || rate === null || rate <= 0) return null;
  return Math.ceil((total - done) / rate);
}

/** The latest operations of the account, newest first, kept as they are on the server. */
export function useOperations(): Loaded<readonly Operation[]> {
  const loaded = useLoaded(listOperations);
  useFeedEvent("operation.state", ({ data: news }) => {
    if (!isOperation(news)) return;
    loaded.learn(
      (last) => last && (last.some(({ id }) => id === news.id) ? withNews(last, news) : [news, ...last]),
    );
  });
  return loaded;
}

export type OneOperation = ReturnType<typeof useOperation>;

/** One operation, kept as it is on the server while the page is open. */
export function useOperation(id: string) {
  const load = useCallback((client: SessionClient) => read<Operation>(client, operationPath(id)), [id]);
  const { data, error, reload, learn } = useLoaded(load);
  /** Takes over what the server says, unless something newer is known. */
  const accept = (news: Operation) =>
    learn((last) => (last === null || last.version < news.version ? news : last));
  useFeedEvent("operation.state", ({ data: news }) => {
    if (isOperation(news) && news.id === id) accept(news);
  });
  return { data, error, reload, accept };
}
