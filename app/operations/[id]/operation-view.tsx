"use client";

import Link from "next/link";
import { SessionClientError } from "wallet-session/client";
import { stroops } from "../../components/amount.ts";
import { Card } from "../../components/card.tsx";
import { durationText } from "../../components/duration.ts";
import { EmptyState } from "../../components/empty-state.tsx";
import { Fact } from "../../components/fact.tsx";
import { LoadFailure } from "../../components/load-failure.tsx";
import { Money } from "../../components/money.tsx";
import { Notice } from "../../components/notice.tsx";
import { ProgressBar } from "../../components/progress-bar.tsx";
import { Loading } from "../../components/spinner.tsx";
import { StatusBadge } from "../../components/status-badge.tsx";
import { RelativeTime } from "../../components/time.tsx";
import { BackToStreams } from "../../streams/back-to-streams.tsx";
import { OffChainNote } from "../../streams/off-chain-note.tsx";
import type { Operation } from "../operation-data.ts";
import {
  FAILURE_WORDS,
  progressText,
  STATUS_NAMES,
  STATUS_TONES,
  secondsLeft,
  statusText,
  streamCount,
} from "../operation-words.ts";
import { OperationActions } from "./operation-actions.tsx";
import { type OneOperation, useOperation } from "./use-operation.ts";

/** One long operation: its progress, and what it waits for. */
export function OperationView({ id }: { id: string }) {
  const { data, error, reload, accept } = useOperation(id);
  const isMissing = error instanceof SessionClientError && error.code === "not_found";
  return (
    <>
      <BackToStreams />
      <h1 className="mt-2 text-3xl font-semibold tracking-tight">
        {isMissing ? "No such operation" : data === null ? "Operation" : statusText(data)}
      </h1>
      {isMissing ? (
        <div className="mt-6">
          <EmptyState title="There is no operation here that you may see">
            Only the account that started an operation sees it. If it is yours, check which account you are
            signed in with.
          </EmptyState>
        </div>
      ) : (
        <>
          <LoadFailure error={error} onRetry={reload} />
          {data !== null && <Progress operation={data} accept={accept} reload={reload} />}
          {data === null && error === null && <Loading>Loading the operation…</Loading>}
        </>
      )}
    </>
  );
}

interface ProgressProps extends Pick<OneOperation, "accept" | "reload"> {
  operation: Operation;
}

function Progress({ operation, accept, reload }: ProgressProps) {
  const { status, done, total, skipped, settled_amount: settled } = operation;
  const left = secondsLeft(operation);
  const percent = total === 0 ? 100 : Math.floor((done / total) * 100);
  return (
    <Card className="mt-6" labelledBy="progress">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <h2 id="progress" className="text-lg font-semibold tracking-tight">
          Progress
        </h2>
        <StatusBadge tone={STATUS_TONES[status]}>{STATUS_NAMES[status]}</StatusBadge>
      </div>
      <p className="mt-4 flex items-baseline justify-between gap-4">
        <span className="text-5xl font-semibold tracking-tighter tabular-nums">
          {percent}
          <span className="text-2xl text-muted">%</span>
        </span>
        <span className="text-sm text-muted tabular-nums">{progressText(operation)}</span>
      </p>
      <div className="mt-4">
        <ProgressBar
          label={statusText(operation)}
          value={done}
          max={total}
          text={progressText(operation)}
          still={status === "paused" || status === "cancelled"}
        />
      </div>
      <Announcement operation={operation} percent={percent} />
      <dl className="mt-6 grid grid-cols-2 gap-x-6 gap-y-5 text-sm sm:grid-cols-4">
        <Fact name="Settled">
          <Money value={stroops(settled)} asset="XLM" />
        </Fact>
        <Fact name="Pace">{paceText(operation)}</Fact>
        <Fact name="Time left">{left === null ? "–" : durationText(left)}</Fact>
        <Fact name={operation.finished_at === null ? "Started" : "Finished"}>
          <RelativeTime iso={operation.finished_at ?? operation.started_at ?? operation.created_at} />
        </Fact>
      </dl>
      {skipped > 0 && (
        <p className="mt-5 text-sm text-muted">
          {streamCount(skipped)} had nothing to settle, or could not be settled any more, and{" "}
          {skipped === 1 ? "was" : "were"} passed over.
        </p>
      )}
      <Failures operation={operation} />
      <OperationActions operation={operation} accept={accept} reload={reload} />
      <div className="mt-6 border-t border-line pt-5">
        <OffChainNote />
      </div>
    </Card>
  );
}

/** The streams that could not be settled, and why. Nothing was moved for them. */
function Failures({ operation: { failed, failures } }: { operation: Operation }) {
  if (failed === 0) return null;
  return (
    <div className="mt-5">
      <Notice look="danger">
        <p>
          {streamCount(failed)} could not be settled, and nothing was moved for {failed === 1 ? "it" : "them"}
          :
        </p>
        <ul className="mt-2 grid gap-1">
          {failures.map(({ stream_id: id, reason }) => (
            <li key={id}>
              <Link href={`/streams/${id}`} prefetch={false} className="underline underline-offset-4">
                Stream {id.slice(0, 6)}…
              </Link>
              : {FAILURE_WORDS[reason]}
            </li>
          ))}
        </ul>
        {failed > failures.length && <p className="mt-1">and {failed - failures.length} more</p>}
      </Notice>
    </div>
  );
}

/** Speaks at each quarter and when the state changes; every step would be too much to listen to. */
function Announcement({ operation, percent }: { operation: Operation; percent: number }) {
  const quarter = Math.floor(percent / 25) * 25;
  return (
    <p role="status" className="sr-only">
      {statusText(operation)}. {quarter > 0 && `${quarter} % done.`}
    </p>
  );
}

function paceText({ status, rate_per_second: rate }: Operation): string {
  if (status !== "running" || rate === null) return "–";
  return rate >= 1
    ? `${Math.round(rate).toLocaleString("en")} each second`
    : `${Math.round(rate * 60)} each minute`;
}
