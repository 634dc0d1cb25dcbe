"use client";

import Link from "next/link";
import type { ReactNode } from "react";
import { useAccount } from "../../components/account.tsx";
import { Address, shortAddress } from "../../components/address.tsx";
import { Card, OffChainNote } from "../../components/card.tsx";
import { Money, stroops } from "../../components/money.tsx";
import { StatusBadge } from "../../components/status-badge.tsx";
import { RelativeTime, useServerNow } from "../../components/time.tsx";
import { roleOf, type StreamEventType } from "../../lib/streams/stream.ts";
import { ItemPage } from "../item-page.tsx";
import {
  amountsAt,
  otherSide,
  type Stream,
  type StreamHistoryEntry,
  type StreamWithHistory,
  streamName,
} from "../stream-data.ts";
import { useStream } from "../use-stream-list.ts";
import { StreamActions } from "./stream-actions.tsx";
import { StreamFlow } from "./stream-flow.tsx";

/** One payment stream: its state, its history, and what the person can do with it. */
export function StreamView({ id }: { id: string }) {
  const { actorId } = useAccount();
  const { data, error, reload, accept, foresee } = useStream(id);
  const stream = data !== null && roleOf(data, actorId) !== null ? data : null;

  return (
    <ItemPage
      kind="stream"
      title={stream === null ? "Stream" : streamName(stream)}
      status={
        stream !== null && (
          <p role="status">
            <StatusBadge status={stream.status} />
          </p>
        )
      }
      error={error}
      reload={reload}
      seenBy="Only its sender and its recipient see a stream."
    >
      {stream && (
        <>
          {stream.title !== null && <p className="mt-1 text-muted">{otherSide(stream)}</p>}
          <div className="mt-8 grid items-start gap-6 lg:grid-cols-[1.6fr_1fr]">
            <div className="grid min-w-0 gap-6">
              <StreamFlow stream={stream} />
              <StreamHistory stream={stream} />
            </div>
            <div className="grid min-w-0 gap-6">
              <StreamActions stream={stream} accept={accept} foresee={foresee} reload={reload} />
              <StreamAmounts stream={stream} />
              <Parties stream={stream} />
            </div>
          </div>
        </>
      )}
    </ItemPage>
  );
}

function Parties({ stream }: { stream: StreamWithHistory }) {
  const sending = stream.role === "sender";
  return (
    <Card labelledBy="parties" title={sending ? "You pay" : "You are paid by"}>
      <div className="mt-1">
        <Address address={sending ? stream.recipient : stream.sender} />
      </div>
      <div className="mt-5 border-t border-line pt-5">
        <OffChainNote />
      </div>
    </Card>
  );
}

/** Where the deposit is: each part of it, to the last digit. */
function StreamAmounts({ stream }: { stream: Stream }) {
  const { deposited, settled, withdrawn, withdrawable, due, refunded, remaining } = amountsAt(
    stream,
    useServerNow(),
  );
  return (
    <Card labelledBy="amounts" title="Where the money is">
      <dl className="mt-4 grid gap-3 text-sm">
        <Line name="Deposited" strong>
          <Money value={deposited} asset={stream.asset} />
        </Line>
        <Line name="Still in escrow" hint="of which earned, not settled">
          <Money value={remaining} />
          <br />
          <span className="text-muted">
            <Money value={due} />
          </span>
        </Line>
        <Line name="Settled for the recipient" hint="of which withdrawn">
          <Money value={settled} />
          <br />
          <span className="text-muted">
            <Money value={withdrawn} />
          </span>
        </Line>
        <Line name="Given back to the sender">
          <Money value={refunded} />
        </Line>
        <Line name="Ready to withdraw" strong>
          <Money value={withdrawable} asset={stream.asset} />
        </Line>
      </dl>
    </Card>
  );
}

interface LineProps {
  name: string;
  hint?: string;
  strong?: boolean;
  children: ReactNode;
}

function Line({ name, hint, strong = false, children }: LineProps) {
  return (
    <div
      className={`flex items-start justify-between gap-4 ${strong ? "border-line font-medium not-first:border-t not-first:pt-3" : ""}`}
    >
      <dt>
        {name}
        {hint !== undefined && <span className="block text-muted">{hint}</span>}
      </dt>
      <dd className="text-right">{children}</dd>
    </div>
  );
}

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
function StreamHistory({ stream }: { stream: StreamWithHistory }) {
  return (
    <Card labelledBy="history" title="History">
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
