"use client";

import dynamic from "next/dynamic";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { useSessionClient } from "wallet-session/react";
import { Button } from "../components/button.tsx";
import { EmptyState } from "../components/card.tsx";
import { explain } from "../components/explain.ts";
import { LoadFailure, SkeletonRows } from "../components/load-failure.tsx";
import { Money, share } from "../components/money.tsx";
import { StatusBadge } from "../components/status-badge.tsx";
import { useServerNow } from "../components/time.tsx";
import { useToast } from "../components/toast.tsx";
import { settleStreams } from "../operations/operation-data.ts";
import { OperationStrip } from "../operations/operation-strip.tsx";
import {
  amountsAt,
  otherSide,
  type Stream,
  type StreamFilter,
  type StreamPage,
  streamName,
} from "./stream-data.ts";
import { StreamFilters } from "./stream-filters.tsx";
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

interface StreamRowProps {
  stream: Stream;
  selected: boolean;
  onSelect: (selected: boolean) => void;
}

/** One stream of the list: whom it is with, how far it is, and how it stands. */
function StreamRow({ stream, selected, onSelect }: StreamRowProps) {
  const name = streamName(stream);
  return (
    <li className="relative grid grid-cols-[auto_1fr] items-center gap-x-3 px-4 py-4 hover:bg-sunken/60 sm:gap-x-4 sm:px-6">
      {canBeSettled(stream) ? (
        // Above the link that covers the row; large enough for a thumb.
        <label className="relative z-[1] -m-2 inline-flex size-11 items-center justify-center">
          <input
            type="checkbox"
            checked={selected}
            onChange={(event) => onSelect(event.target.checked)}
            aria-label={`Select ${name}`}
            className="size-4.5 accent-accent"
          />
        </label>
      ) : (
        <span className="-m-2 size-11" />
      )}
      <div className="grid min-w-0 items-center gap-x-6 gap-y-2 sm:grid-cols-[minmax(0,1fr)_minmax(0,11rem)_auto]">
        <div className="min-w-0">
          <p className="flex items-center gap-2.5">
            <Link
              href={`/streams/${stream.id}`}
              prefetch={false}
              className="truncate font-medium after:absolute after:inset-0"
            >
              {name}
            </Link>
            <StatusBadge status={stream.status} />
          </p>
          <p className="mt-0.5 truncate text-sm text-muted">
            {stream.title === null ? roleWords(stream) : otherSide(stream)}
          </p>
        </div>
        <StreamProgress stream={stream} />
      </div>
    </li>
  );
}

function canBeSettled({ status }: Stream): boolean {
  return status === "active" || status === "paused";
}

function roleWords({ role }: Stream): string {
  return role === "sender" ? "You send" : "You receive";
}

function StreamProgress({ stream }: { stream: Stream }) {
  const { accrued, deposited } = amountsAt(stream, useServerNow());
  return (
    <>
      <div aria-hidden="true" className="hidden h-1.5 overflow-hidden rounded-full bg-sunken sm:block">
        <div
          className={`h-full origin-left rounded-full ${stream.status === "cancelled" ? "bg-edge" : "bg-accent"} motion-safe:transition-transform motion-safe:duration-1000 motion-safe:ease-linear`}
          style={{ transform: `scaleX(${share(accrued, deposited)})` }}
        />
      </div>
      <p className="text-sm sm:min-w-48 sm:text-right">
        <span className="sr-only">Streamed </span>
        <Money value={accrued} />
        <span className="block text-xs text-muted sm:mt-0.5">
          of <Money value={deposited} asset={stream.asset} />
        </span>
      </p>
    </>
  );
}
