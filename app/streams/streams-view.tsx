"use client";

import dynamic from "next/dynamic";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { useSessionClient } from "wallet-session/react";
import { Button } from "../components/button.tsx";
import { EmptyState } from "../components/card.tsx";
import { explain } from "../components/explain.ts";
import { LoadFailure, SkeletonRows } from "../components/load-failure.tsx";
import { useToast } from "../components/toast.tsx";
import { settleStreams } from "../operations/operation-data.ts";
import { OperationStrip } from "../operations/operation-strip.tsx";
import type { Stream, StreamFilter, StreamPage } from "./stream-data.ts";
import { StreamFilters } from "./stream-filters.tsx";
import { canBeSettled, StreamRow } from "./stream-row.tsx";
import { useStreamList } from "./use-stream-list.ts";

const NewStreamDialog = dynamic(() =>
  import("./new-stream-dialog.tsx").then((module) => module.NewStreamDialog),
);

/** All streams of the account: those it pays and those it is paid by. */
export function StreamsView({ filter }: { filter: StreamFilter }) {
  const { data, error, reload, loadMore } = useStreamList(filter);
  const [creating, setCreating] = useState(false);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const selected = data?.streams.filter((stream) => chosen.has(stream.id) && canBeSettled(stream)) ?? [];

  function choose(id: string, isChosen: boolean) {
    const next = new Set(chosen);
    if (isChosen) next.add(id);
    else next.delete(id);
    setChosen(next);
  }

  return (
    <>
      <div className="flex flex-wrap items-center justify-between gap-4">
        <h1 className="text-3xl font-semibold tracking-tight">Your streams</h1>
        <div className="flex flex-wrap gap-3">
          <BulkSettle
            selected={selected}
            settleable={data === null ? 0 : data.counts.active + data.counts.paused}
          />
          <Button look="primary" onClick={() => setCreating(true)}>
            New stream
          </Button>
        </div>
      </div>
      <OperationStrip />
      <div className="mt-8">
        <StreamFilters filter={filter} counts={data?.counts ?? null} />
      </div>
      <LoadFailure error={error} onRetry={reload} />
      <div className="mt-4">
        {data === null && error === null && <SkeletonRows label="Loading your streams…" />}
        {data !== null && data.streams.length === 0 && (
          <NoStreams filter={filter} counts={data.counts} onCreate={() => setCreating(true)} />
        )}
        {data !== null && data.streams.length > 0 && (
          <ul
            aria-label="Streams"
            className="divide-y divide-line overflow-hidden rounded-2xl border border-line bg-surface"
          >
            {data.streams.map((stream) => (
              <StreamRow
                key={stream.id}
                stream={stream}
                selected={chosen.has(stream.id)}
                onSelect={(isChosen) => choose(stream.id, isChosen)}
              />
            ))}
          </ul>
        )}
        {data?.next_cursor != null && <LoadMore onMore={loadMore} />}
      </div>
      {creating && <NewStreamDialog onClose={() => setCreating(false)} />}
    </>
  );
}

interface NoStreamsProps {
  filter: StreamFilter;
  /** By status, of those of the direction that is chosen. */
  counts: StreamPage["counts"];
  onCreate: () => void;
}

function NoStreams({ filter, counts, onCreate }: NoStreamsProps) {
  const none = Object.values(counts).every((count) => count === 0);
  if (filter.role !== null || !none) {
    return (
      <EmptyState title="No stream matches">There are others: choose another filter to see them.</EmptyState>
    );
  }
  return (
    <EmptyState title="No streams yet">
      <p>
        A stream pays an account by the second: you put in a deposit, choose how long it should last, and it
        flows until it is used up, paused or cancelled.
      </p>
      <p className="mt-5">
        <Button look="primary" onClick={onCreate}>
          Create your first stream
        </Button>
      </p>
    </EmptyState>
  );
}

function LoadMore({ onMore }: { onMore: () => Promise<void> }) {
  const [busy, setBusy] = useState(false);
  async function more() {
    setBusy(true);
    // What fails here is tried again by the same press.
    await onMore().catch(() => {});
    setBusy(false);
  }
  return (
    <p className="mt-4 text-center">
      <Button busy={busy} onClick={() => void more()}>
        Show more
      </Button>
    </p>
  );
}

interface BulkSettleProps {
  selected: readonly Stream[];
  /** How many there are in all that could be settled. */
  settleable: number;
}

/** Settles many streams at once, as an operation that goes on without this page. */
function BulkSettle({ selected, settleable }: BulkSettleProps) {
  const client = useSessionClient();
  const router = useRouter();
  const toast = useToast();
  const [busy, setBusy] = useState(false);

  async function settle() {
    setBusy(true);
    try {
      const ids = selected.length === 0 ? "all" : selected.map(({ id }) => id);
      const { id } = await settleStreams(client, ids);
      router.push(`/operations/${id}`);
    } catch (error) {
      toast(`Nothing was settled. ${explain(error)}`);
      setBusy(false);
    }
  }

  if (settleable === 0) return null;
  return (
    <Button busy={busy} onClick={() => void settle()}>
      {selected.length === 0 ? "Settle all" : `Settle ${selected.length} selected`}
    </Button>
  );
}
