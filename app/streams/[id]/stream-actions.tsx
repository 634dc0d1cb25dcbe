"use client";

import { type ReactNode, useState } from "react";
import { SessionClientError } from "wallet-session/client";
import { useSessionClient } from "wallet-session/react";
import { useAccount } from "../../components/account.tsx";
import { Button, type ButtonLook } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { explain } from "../../components/explain.ts";
import { amountText } from "../../components/money.tsx";
import { useServerNow } from "../../components/time.tsx";
import { useToast } from "../../components/toast.tsx";
import { formatAmount } from "../../lib/streams/money.ts";
import { RULES, STREAM_COMMANDS, type StreamCommand } from "../../lib/streams/transitions.ts";
import { amountsAt, commandStream, type Stream, type StreamAmounts } from "../stream-data.ts";
import type { OneStream } from "../use-stream-list.ts";

interface CommandWords {
  readonly name: string;
  readonly done: string;
  readonly look: ButtonLook;
}

const COMMANDS: Readonly<Record<StreamCommand, CommandWords>> = {
  start: { name: "Start", done: "The stream is running.", look: "primary" },
  pause: { name: "Pause", done: "The stream is paused.", look: "secondary" },
  settle: { name: "Settle", done: "What was earned is settled.", look: "secondary" },
  withdraw: { name: "Withdraw", done: "Withdrawn.", look: "primary" },
  cancel: { name: "Cancel the stream", done: "The stream is cancelled.", look: "danger" },
};

/** Refusals after which what is on the screen is no longer what is so. */
const OUTDATED = ["stream_state", "version_conflict", "not_permitted", "not_found"];

interface StreamActionsProps extends Pick<OneStream, "accept" | "foresee" | "reload"> {
  stream: Stream;
}

/** What this person may do with the stream as it stands. The server decides; what it says is what is shown. */
export function StreamActions({ stream, accept, foresee, reload }: StreamActionsProps) {
  const client = useSessionClient();
  const { actorId } = useAccount();
  const toast = useToast();
  const now = useServerNow();
  const [busy, setBusy] = useState<StreamCommand | null>(null);
  const [asking, setAsking] = useState(false);
  const amounts = amountsAt(stream, now);
  const possible = STREAM_COMMANDS.filter((command) => isPossible(command, stream, amounts));

  /** For a large withdrawal. */
  async function sign(action: string): Promise<string> {
    const { signAction } = await import("../../sign-in/sign-action.ts");
    return signAction(client, actorId, action);
  }

  async function act(command: StreamCommand) {
    if (busy !== null) return;
    setBusy(command);
    foresee(foreseen(stream, command, now));
    try {
      accept(await commandStream(client, stream, command, sign));
      toast(COMMANDS[command].done);
    } catch (error) {
      foresee(stream);
      toast(`Nothing was changed. ${explain(error)}`);
      const outdated = error instanceof SessionClientError && OUTDATED.includes(error.code);
      // Where no answer came, it may have been done all the same.
      if (outdated || !(error instanceof SessionClientError) || error.status === undefined) await reload();
    }
    setBusy(null);
    setAsking(false);
  }

  return (
    <Card
      labelledBy="actions"
      title={stream.role === "sender" ? "You send this stream" : "You receive this stream"}
    >
      <p className="mt-1 text-sm leading-relaxed text-muted">{adviceFor(stream, amounts)}</p>
      {possible.length > 0 && (
        <div className="mt-5 flex flex-wrap gap-3">
          {possible.map((command) => (
            <Button
              key={command}
              look={COMMANDS[command].look}
              busy={busy === command}
              held={busy !== null}
              onClick={() => (command === "cancel" ? setAsking(true) : void act(command))}
            >
              {command === "start" && stream.status === "paused" ? "Resume" : COMMANDS[command].name}
            </Button>
          ))}
        </div>
      )}
      {asking && (
        <ConfirmDialog
          title="Cancel this stream?"
          confirmLabel="Cancel the stream"
          busy={busy === "cancel"}
          onConfirm={() => void act("cancel")}
          onClose={() => setAsking(false)}
        >
          {whatCancelDoes(stream, amounts)}
        </ConfirmDialog>
      )}
    </Card>
  );
}

function isPossible(command: StreamCommand, stream: Stream, amounts: StreamAmounts): boolean {
  const { by, from } = RULES[command];
  if (!by.includes(stream.role) || !from.includes(stream.status)) return false;
  switch (command) {
    case "settle":
      return amounts.due > 0n;
    case "withdraw":
      return amounts.withdrawable > 0n;
    case "pause":
      return amounts.accrued < amounts.deposited;
    case "start":
    case "cancel":
      return true;
  }
}

function adviceFor({ role, status, asset }: Stream, { withdrawable, due }: StreamAmounts): ReactNode {
  if (role === "recipient" && withdrawable > 0n) {
    return (
      <>
        <span className="tabular-nums">{amountText(withdrawable)}</span> {asset} is yours to withdraw now.
      </>
    );
  }
  switch (status) {
    case "draft":
      return role === "sender"
        ? "It pays nothing until you start it."
        : "It pays nothing until it is started.";
    case "active":
      return due > 0n
        ? "Settling makes what was earned the recipient’s for good."
        : "It has just begun to pay.";
    case "paused":
      return role === "sender"
        ? "It pays nothing more until you resume it."
        : "It pays nothing more for now.";
    case "completed":
      return "It has paid all that it held.";
    case "cancelled":
      return "It pays nothing more. What was earned stayed with the recipient.";
  }
}

function whatCancelDoes({ status, asset }: Stream, { accrued, deposited }: StreamAmounts): ReactNode {
  if (status === "draft")
    return "The whole deposit goes back to you. A cancelled stream cannot be started again.";
  return (
    <>
      What is earned by then, <span className="tabular-nums">{amountText(accrued)}</span> {asset} at this
      moment, stays with the recipient; the rest of {amountText(deposited)} {asset} goes back to you. A
      cancelled stream cannot be started again.
    </>
  );
}

/**
 * The stream as it will most likely be once the server has carried out a command: whether it flows. Where money moves,
 * nothing is foreseen: that is shown when it has moved.
 */
function foreseen(stream: Stream, command: StreamCommand, serverNowMs: number): Stream {
  const { accrued, withdrawable, elapsedSeconds } = amountsAt(stream, serverNowMs);
  const now = {
    accrued: formatAmount(accrued),
    withdrawable: formatAmount(withdrawable),
    elapsed_seconds: elapsedSeconds,
    as_of: new Date(serverNowMs).toISOString(),
  };
  switch (command) {
    case "start":
      return { ...stream, ...now, status: "active" };
    case "pause":
      return { ...stream, ...now, status: "paused", ends_at: null };
    case "settle":
    case "withdraw":
    case "cancel":
      return stream;
  }
}
