import Link from "next/link";
import type { ReactNode } from "react";
import { STATUS_NAMES } from "../components/status-badge.tsx";
import { type Role, STREAM_STATUSES, type StreamStatus } from "../lib/streams/stream.ts";
import type { StreamFilter, StreamPage } from "./stream-data.ts";
import { streamsPath } from "./streams-path.ts";

/** What flows comes first. */
const STATUSES: readonly (StreamStatus | null)[] = [
  null,
  "active",
  "paused",
  "draft",
  "completed",
  "cancelled",
];

const DIRECTIONS: readonly [Role | null, string][] = [
  [null, "Both ways"],
  ["sender", "You send"],
  ["recipient", "You receive"],
];

interface StreamFiltersProps {
  filter: StreamFilter;
  counts: StreamPage["counts"] | null;
}

/** Which streams are listed. Each choice is an address, so that it can be kept and gone back to. */
export function StreamFilters({ filter, counts }: StreamFiltersProps) {
  const all = counts && STREAM_STATUSES.reduce((sum, status) => sum + counts[status], 0);
  return (
    <nav aria-label="Filters" className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
      <ul aria-label="By status" className="-mx-1 flex max-w-full gap-1 overflow-x-auto p-1">
        {STATUSES.map((status) => (
          <li key={status}>
            <Choice href={streamsPath({ ...filter, status })} chosen={filter.status === status}>
              {status === null ? "All" : STATUS_NAMES[status]}
              <Count value={status === null ? all : (counts?.[status] ?? null)} />
            </Choice>
          </li>
        ))}
      </ul>
      <ul aria-label="By direction" className="flex gap-1 rounded-full bg-sunken p-1">
        {DIRECTIONS.map(([role, name]) => (
          <li key={name}>
            <Choice href={streamsPath({ ...filter, role })} chosen={filter.role === role}>
              {name}
            </Choice>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Choice({ href, chosen, children }: { href: string; chosen: boolean; children: ReactNode }) {
  return (
    <Link
      href={href}
      scroll={false}
      prefetch={false}
      aria-current={chosen ? "true" : undefined}
      className="inline-flex min-h-9 items-center gap-2 rounded-full px-3.5 text-sm whitespace-nowrap text-muted hover:text-ink aria-[current]:bg-surface aria-[current]:font-medium aria-[current]:text-ink aria-[current]:shadow-[0_0_0_1px_var(--color-line)]"
    >
      {children}
    </Link>
  );
}

function Count({ value }: { value: number | null }) {
  if (value === null) return null;
  return <span className="text-xs text-muted tabular-nums">{value.toLocaleString("en")}</span>;
}
