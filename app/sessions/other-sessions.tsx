"use client";

import { type ReactNode, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { useSessionClient } from "wallet-session/react";
import { Button } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { ConfirmDialog } from "../components/confirm-dialog.tsx";
import { EmptyState } from "../components/empty-state.tsx";
import { explain } from "../components/explain.ts";
import { useToast } from "../components/toast.tsx";
import type { Operation } from "../operations/operation-data.ts";
import { deviceName } from "./device.tsx";
import { pausesText } from "./running.tsx";
import { endOtherSessions, type ListedSession, revokeSession } from "./session-data.ts";
import { SessionList } from "./session-list.tsx";

/** What is about to be ended: one session, or all but this one. */
type Question = { readonly ends: "one"; readonly session: ListedSession } | { readonly ends: "others" };

interface OtherSessionsProps {
  sessions: readonly ListedSession[];
  /** Running operations of all sessions. */
  running: readonly Operation[];
  reload: () => Promise<void>;
}

export function OtherSessions({ sessions, running, reload }: OtherSessionsProps) {
  const client = useSessionClient();
  const toast = useToast();
  const [question, setQuestion] = useState<Question | null>(null);
  const [busy, setBusy] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  const others = sessions.filter(({ current }) => !current);

  const affected = running.filter(({ session_id: id }) =>
    question?.ends === "one" ? question.session.id === id : others.some((session) => session.id === id),
  );

  async function end(asked: Question) {
    setBusy(true);
    try {
      toast(await carryOut(asked));
      await reload();
    } catch (error) {
      toast(`Nothing was ended. ${explain(error)}`);
    }
    close();
  }

  function close() {
    flushSync(() => {
      setBusy(false);
      setQuestion(null);
    });
    // The focus goes back to the button that asked, unless that is gone with its session.
    if (document.activeElement === document.body) heading.current?.focus();
  }

  async function carryOut(asked: Question): Promise<string> {
    if (asked.ends === "one") {
      await revokeSession(client, asked.session.id);
      return "The session has ended.";
    }
    const count = await endOtherSessions(client);
    return count === 1 ? "One other session has ended." : `${count} other sessions have ended.`;
  }

  return (
    <Card labelledBy="sessions">
      <div className="mb-6 flex flex-wrap items-center justify-between gap-3">
        <h2 ref={heading} tabIndex={-1} id="sessions" className="text-lg font-semibold tracking-tight">
          Where you are signed in
        </h2>
        {others.length > 0 && (
          <Button look="danger" onClick={() => setQuestion({ ends: "others" })}>
            End all others
          </Button>
        )}
      </div>
      <SessionList
        sessions={sessions}
        running={running}
        onEnd={(session) => setQuestion({ ends: "one", session })}
      />
      {others.length === 0 && (
        <div className="mt-6">
          <EmptyState title="Nowhere else">
            Sign in with this wallet in another browser, and it is listed here.
          </EmptyState>
        </div>
      )}
      {question !== null && (
        <ConfirmDialog
          title={question.ends === "one" ? "End this session?" : "End all other sessions?"}
          confirmLabel={question.ends === "one" ? "End it" : "End them"}
          busy={busy}
          onConfirm={() => void end(question)}
          onClose={close}
        >
          {describe(question, others.length)}
          {affected.length > 0 && ` ${pausesText(affected)}`}
        </ConfirmDialog>
      )}
    </Card>
  );
}

function describe(question: Question, others: number): ReactNode {
  if (question.ends === "one") {
    return `${deviceName(question.session.client)} is signed out within a second and needs the wallet to sign in again.`;
  }
  return others === 1
    ? "One browser is signed out within a second. This one stays signed in."
    : `${others} browsers are signed out within a second. This one stays signed in.`;
}
