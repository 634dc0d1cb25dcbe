"use client";

import dynamic from "next/dynamic";
import Link from "next/link";
import { useEffect, useState } from "react";
import { SessionClientError } from "wallet-session/client";
import { useSessionClient } from "wallet-session/react";
import { useAccount } from "../../components/account.tsx";
import { Button } from "../../components/button.tsx";
import { Card, Fact, Notice, OffChainNote } from "../../components/card.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { explain } from "../../components/explain.ts";
import { Money, stroops } from "../../components/money.tsx";
import { ProgressBar, StatusBadge } from "../../components/status-badge.tsx";
import { durationText, RelativeTime } from "../../components/time.tsx";
import { useToast } from "../../components/toast.tsx";
import { isFinal } from "../../lib/operations/operation.ts";
import { deviceName, listAlarms, type SessionAlarm } from "../../sessions/session-data.tsx";
import { ItemPage } from "../../streams/item-page.tsx";
import {
  commandOperation,
  FAILURE_WORDS,
  type OneOperation,
  type Operation,
  progressText,
  secondsLeft,
  statusText,
  streamCount,
  useOperation,
} from "../operation-data.ts";

/** One long operation: its progress, and what it waits for. */
export function OperationView({ id }: { id: string }) {
  const { data, error, reload, accept } = useOperation(id);
  return (
    <ItemPage
      kind="operation"
      title={data === null ? "Operation" : statusText(data)}
      error={error}
      reload={reload}
      seenBy="Only the account that started an operation sees it."
    >
      {data && <Progress operation={data} accept={accept} reload={reload} />}
    </ItemPage>
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
        <StatusBadge status={status} />
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

const SignAgain = dynamic(() => import("../../sign-in/sign-again.tsx").then((module) => module.SignAgain));

/** What may be done with an operation that is not at its end; where it is paused, why, and what it takes to go on. */
function OperationActions({ operation, accept, reload }: ProgressProps) {
  const client = useSessionClient();
  const toast = useToast();
  const { createdAt } = useAccount();
  const [busy, setBusy] = useState<"resume" | "cancel" | null>(null);
  const [asking, setAsking] = useState(false);
  const [refused, setRefused] = useState(false);
  const endedAt = operation.grant_ended_at;
  const needsSignature = refused || (endedAt !== null && Date.parse(createdAt) <= Date.parse(endedAt));

  async function command(wish: "resume" | "cancel") {
    if (busy !== null) return;
    setBusy(wish);
    try {
      accept(await commandOperation(client, operation.id, wish));
      setRefused(false);
    } catch (error) {
      const unsigned = error instanceof SessionClientError && error.code === "signature_required";
      setRefused(unsigned);
      if (!unsigned) toast(`Nothing was changed. ${explain(error)}`);
      await reload();
    }
    setBusy(null);
    setAsking(false);
  }

  if (isFinal(operation.status)) return null;
  const left = operation.total - operation.done;
  return (
    <div className="mt-6">
      <div aria-live="polite" className="empty:hidden">
        {operation.status === "paused" && (
          <Notice look="notice">
            <PauseReason operation={operation} />
            <div className="mt-4 text-ink">
              {needsSignature ? (
                <SignAgain label="Sign and resume" onSigned={() => void command("resume")} />
              ) : (
                <Button
                  look="primary"
                  busy={busy === "resume"}
                  held={busy !== null}
                  onClick={() => void command("resume")}
                >
                  Resume
                </Button>
              )}
            </div>
          </Notice>
        )}
      </div>
      <div className="mt-6 flex flex-wrap items-center justify-between gap-4">
        <p className="max-w-md text-sm text-muted">
          {operation.status === "paused"
            ? "What was settled stays settled."
            : "It runs on the server: you can close this page, or your browser, and come back."}
        </p>
        <Button held={busy !== null} onClick={() => setAsking(true)}>
          Cancel the rest
        </Button>
      </div>
      {asking && (
        <ConfirmDialog
          title="Cancel the rest?"
          confirmLabel="Cancel the rest"
          busy={busy === "cancel"}
          onConfirm={() => void command("cancel")}
          onClose={() => setAsking(false)}
        >
          {streamCount(left)} will not be settled now. What was settled stays settled, and the streams go on
          as they are.
        </ConfirmDialog>
      )}
    </div>
  );
}

/** Why it stopped: the session that had started it is no more. Names the device where a stolen token was the cause. */
function PauseReason({ operation }: { operation: Operation }) {
  const client = useSessionClient();
  const [alarm, setAlarm] = useState<SessionAlarm | null>(null);
  const reused = operation.pause_reason === "reuse_detected";

  useEffect(() => {
    if (!reused) return;
    // If that fails, the sentence leaves the device out.
    listAlarms(client).then(
      (alarms) => setAlarm(alarms.find(({ session_id: id }) => id === operation.session_id) ?? null),
      () => {},
    );
  }, [client, reused, operation.session_id]);

  if (!reused) {
    return (
      <p>
        <strong className="font-semibold">Paused: the session that started it has ended.</strong> Before its
        next step somebody signed out, or ended that session from another browser. A signature of your wallet
        lets it go on.
      </p>
    );
  }
  return (
    <p>
      <strong className="font-semibold">Paused to protect you.</strong> A spent key of the session
      {alarm === null ? " that started it" : ` on ${deviceName(alarm.client)}`} was used a second time, which
      can mean that a copy of it was stolen. That session has ended. If you do not know why, look at{" "}
      <Link href="/sessions" prefetch={false} className="underline underline-offset-4">
        your sessions
      </Link>{" "}
      first; then a signature of your wallet lets the operation go on.
    </p>
  );
}
