"use client";

import Link from "next/link";
import { shortAddress } from "../../components/address.tsx";
import { stroops } from "../../components/amount.ts";
import { Card } from "../../components/card.tsx";
import { Money } from "../../components/money.tsx";
import { RelativeTime } from "../../components/time.tsx";
import type { StreamEventType } from "../../lib/streams/stream.ts";
import type { StreamHistoryEntry, StreamWithHistory } from "../stream-data.ts";

const NAMES: Readonly<Record<StreamEventType, string>> = {
  created: "Created, with the whole deposit",
  started: "Started",
  paused: "Paused",
  resumed: "Resumed",
  settled: "Settled",
  withdrawn: "Withdrawn",
  cancelled: "Cancelled, the rest given back",
  completed: "Completed",
};

/** What has happened to a stream, newest first; nothing of it is ever taken back. */
export function StreamHistory({ stream }: { stream: StreamWithHistory }) {
  return (
    <Card labelledBy="history">
      <h2 id="history" className="text-lg font-semibold tracking-tight">
        History
      </h2>
      <ol className="mt-4 divide-y divide-line">
        {stream.history.map((entry) => (
          <Entry key={entry.id} entry={entry} stream={stream} />
        ))}
      </ol>
    </Card>
  );
}

function Entry({ entry, stream }: { entry: StreamHistoryEntry; stream: StreamWithHistory }) {
  return (
    <li className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-0.5 py-3 text-sm first:pt-0 last:pb-0">
      <p>
        <span className="font-medium">{NAMES[entry.type]}</span>
        <span className="text-muted">
          {entry.by !== null && <> by {byWhom(entry.by, stream)}</>}
          {entry.operation_id !== null && (
            <>
              {" "}
              in{" "}
              <Link
                href={`/operations/${entry.operation_id}`}
                prefetch={false}
                className="text-accent underline underline-offset-4"
              >
                an operation
              </Link>
            </>
          )}
        </span>
      </p>
      <p className="flex items-baseline gap-4 text-muted">
        {entry.amount !== null && (
          <span className="text-ink">
            <Money value={stroops(entry.amount)} />
          </span>
        )}
        <RelativeTime iso={entry.at} />
      </p>
    </li>
  );
}

function byWhom(by: string, { sender, recipient, role }: StreamWithHistory): string {
  if (by === (role === "sender" ? sender : recipient)) return "you";
  if (by === sender) return "the sender";
  return by === recipient ? "the recipient" : shortAddress(by);
}
