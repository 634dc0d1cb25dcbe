"use client";

import Link from "next/link";
import { Money, share } from "../components/money.tsx";
import { useServerNow } from "../components/server-clock.ts";
import { StatusBadge } from "../components/status-badge.tsx";
import { amountsAt, otherSide, type Stream, streamName } from "./stream-data.ts";

interface StreamRowProps {
  stream: Stream;
  selected: boolean;
  onSelect: (selected: boolean) => void;
}

/** One stream of the list: whom it is with, how far it is, and how it stands. */
export function StreamRow({ stream, selected, onSelect }: StreamRowProps) {
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

export function canBeSettled({ status }: Stream): boolean {
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
