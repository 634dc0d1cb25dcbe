"use client";

import { type ReactNode, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { useSessionClient } from "wallet-session/react";
import { Button } from "../components/button.tsx";
import { Card, EmptyState } from "../components/card.tsx";
import { ConfirmDialog } from "../components/dialog.tsx";
import { explain } from "../components/explain.ts";
import { RelativeTime } from "../components/time.tsx";
import { useToast } from "../components/toast.tsx";
import type { Operation } from "../operations/operation-data.ts";
import { pausesText, Running } from "../operations/operation-strip.tsx";
import {
  DeviceIcon,
  deviceName,
  endOtherSessions,
  type ListedSession,
  revokeSession,
  tiedTo,
} from "./session-data.tsx";

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

interface SessionListProps {
  sessions: readonly ListedSession[];
  running: readonly Operation[];
  onEnd: (session: ListedSession) => void;
}

function SessionList({ sessions, running, onEnd }: SessionListProps) {
  return (
    <ul className="divide-y divide-line">
      {sessions.map((session) => (
        <li
          key={session.id}
          className="grid grid-cols-[auto_1fr_auto] items-center gap-3 py-4 first:pt-0 last:pb-0 sm:gap-4"
        >
          <DeviceIcon client={session.client} />
          <div className="min-w-0">
            <p className="flex flex-wrap items-center gap-x-2.5 gap-y-1 font-medium">
              {deviceName(session.client)}
              {session.current && (
                <span className="rounded-full bg-wash px-2.5 py-0.5 text-xs font-medium text-accent">
                  This browser
                </span>
              )}
              {tiedTo(session) !== null && (
                <span
                  className="rounded-full border border-line px-2.5 py-0.5 text-xs font-medium text-muted"
                  title="A copy of it does nothing elsewhere: it lacks the key"
                >
                  {tiedTo(session)}
                </span>
              )}
            </p>
            <p className="mt-0.5 flex flex-wrap gap-x-4 text-sm text-muted">
              <span>
                Active <RelativeTime iso={session.last_active_at} />
              </span>
              <span>
                Signed in <RelativeTime iso={session.created_at} />
              </span>
              {session.client.ip !== null && (
                <span title="Only the network is kept, not the whole address">{session.client.ip}</span>
              )}
            </p>
            <Running operations={running.filter(({ session_id: id }) => id === session.id)} />
          </div>
          {!session.current && (
            <Button
              onClick={() => onEnd(session)}
              aria-label={`End the session of ${deviceName(session.client)}`}
            >
              End
            </Button>
          )}
        </li>
      ))}
    </ul>
  );
}
