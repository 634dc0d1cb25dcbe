"use client";

import { type ReactNode, useEffect, useState } from "react";
import { Button } from "../components/button.tsx";
import { Notice } from "../components/card.tsx";
import { RelativeTime } from "../components/time.tsx";
import { useLoaded } from "../components/use-loaded.ts";
import type { Operation } from "../operations/operation-data.ts";
import { Running } from "../operations/operation-strip.tsx";
import { deviceName, type ListedSession, listAlarms, type SessionAlarm } from "./session-data.tsx";

/** What was dismissed. Only this browser knows. */
const PUT_AWAY = "streampay.alarms-put-away";

interface AlarmsProps {
  operations: readonly Operation[];
  sessions: readonly ListedSession[];
}

/**
 * What the person should know of copies of their sessions: those that were used, which ended the session, and those that were
 * tried in vain.
 */
export function Alarms({ operations, sessions }: AlarmsProps) {
  const { data } = useLoaded(listAlarms, { fed: false });
  const [putAway, setPutAway] = useState<readonly string[]>([]);

  useEffect(() => setPutAway(readPutAway()), []);

  function dismiss(id: string) {
    const ids = [id, ...readPutAway()].slice(0, 100);
    localStorage.setItem(PUT_AWAY, JSON.stringify(ids));
    setPutAway(ids);
  }

  const alarms = data?.filter(({ session_id: id }) => !putAway.includes(id)) ?? [];
  const tried = sessions.filter((session) => session.proof_failed_at && !putAway.includes(trialId(session)));
  return (
    <div role="status" className="mt-6 grid gap-3 empty:hidden">
      {alarms.map((alarm) => (
        <Alarm
          key={alarm.session_id}
          alarm={alarm}
          paused={operations.filter(
            ({ status, session_id: id }) => status === "paused" && id === alarm.session_id,
          )}
          onDismiss={() => dismiss(alarm.session_id)}
        />
      ))}
      {tried.map((session) => (
        <TriedCopy key={session.id} session={session} onDismiss={() => dismiss(trialId(session))} />
      ))}
    </div>
  );
}

/** A later one is told of anew. */
const trialId = ({ id, proof_failed_at: at }: ListedSession) => `${id} ${at}`;

interface AlarmProps {
  alarm: SessionAlarm;
  paused: readonly Operation[];
  onDismiss: () => void;
}

function Alarm({ alarm, paused, onDismiss }: AlarmProps) {
  const { client, at } = alarm;
  return (
    <Dismissable look="danger" name={`the alarm about ${deviceName(client)}`} onDismiss={onDismiss}>
      <p>
        <strong className="font-semibold">
          The session on {deviceName(client)} was ended to protect you.
        </strong>{" "}
        <RelativeTime iso={at} />
        {client.ip !== null && <>, signed in from {client.ip}</>}: a spent key of it was used again, as
        happens when a copy was stolen. Every copy is worthless now. Where that browser is yours, sign in
        there again; where it may have been copied, clean it first.
      </p>
      {paused.length > 0 && <p className="mt-3">What it had started stands still until you sign for it:</p>}
      <Running operations={paused} />
    </Dismissable>
  );
}

function TriedCopy({ session, onDismiss }: { session: ListedSession; onDismiss: () => void }) {
  const { client, current, proof_failed_at: at } = session;
  if (at === null) return null;
  const where = current ? "in this browser" : `on ${deviceName(client)}`;
  return (
    <Dismissable look="notice" name={`the notice about ${deviceName(client)}`} onDismiss={onDismiss}>
      <p>
        <strong className="font-semibold">Somebody tried a copy of your session {where}.</strong> That was{" "}
        <RelativeTime iso={at} />, and it did nothing: the session is tied to a key that the copy does not
        have, and it goes on. But what made the copy may still be there. Check that browser’s extensions and
        programs; to make the copy worthless for good, end the session and sign in again.
      </p>
    </Dismissable>
  );
}

interface DismissableProps {
  look: "danger" | "notice";
  /** What its button dismisses. */
  name: string;
  onDismiss: () => void;
  children: ReactNode;
}

function Dismissable({ look, name, onDismiss, children }: DismissableProps) {
  return (
    <Notice look={look}>
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="min-w-0 flex-1 basis-72">{children}</div>
        <Button onClick={onDismiss} aria-label={`Dismiss ${name}`}>
          Dismiss
        </Button>
      </div>
    </Notice>
  );
}

function readPutAway(): readonly string[] {
  try {
    const ids: unknown = JSON.parse(localStorage.getItem(PUT_AWAY) ?? "[]");
    return Array.isArray(ids) ? ids.filter((id) => typeof id === "string") : [];
  } catch {
    return [];
  }
}
