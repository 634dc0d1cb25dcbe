"use client";

import dynamic from "next/dynamic";
import Link from "next/link";
import { useEffect, useState } from "react";
import { SessionClientError } from "wallet-session/client";
import { useSessionClient } from "wallet-session/react";
import { useAccount } from "../../components/account.tsx";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { explain } from "../../components/explain.ts";
import { Notice } from "../../components/notice.tsx";
import { useToast } from "../../components/toast.tsx";
import { deviceName } from "../../sessions/device.tsx";
import { listAlarms, type SessionAlarm } from "../../sessions/session-data.ts";
import { commandOperation, isFinal, type Operation } from "../operation-data.ts";
import { streamCount } from "../operation-words.ts";
import type { OneOperation } from "./use-operation.ts";

const SignAgain = dynamic(() => import("../../sign-in/sign-again.tsx").then((module) => module.SignAgain));

interface OperationActionsProps extends Pick<OneOperation, "accept" | "reload"> {
  operation: Operation;
}

/** What may be done with an operation that is not at its end; where it is paused, why, and what it takes to go on. */
export function OperationActions({ operation, accept, reload }: OperationActionsProps) {
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

  if (isFinal(operation)) return null;
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
                <Button look="primary" busy={busy === "resume"} onClick={() => void command("resume")}>
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
        <Button onClick={() => setAsking(true)}>Cancel the rest</Button>
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
