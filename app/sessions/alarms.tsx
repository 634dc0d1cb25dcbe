"use client";

import { useEffect, useState } from "react";
import { Button } from "../components/button.tsx";
import { Notice } from "../components/card.tsx";
import { RelativeTime } from "../components/time.tsx";
import { useLoaded } from "../components/use-loaded.ts";
import type { Operation } from "../operations/operation-data.ts";
import { Running } from "../operations/operation-strip.tsx";
import { deviceName, listAlarms, type SessionAlarm } from "./session-data.tsx";

/** The dismissed alarms, by the ids of their sessions. Only this browser knows them. */
const PUT_AWAY = "streampay.alarms-put-away";

/** Sessions that ended because a copy of their token was used: which device, when, and which operations that paused. */
export function Alarms({ operations }: { operations: readonly Operation[] }) {
  const { data } = useLoaded(listAlarms);
  const [putAway, setPutAway] = useState<readonly string[]>([]);

  useEffect(() => setPutAway(readPutAway()), []);

  function dismiss({ session_id: id }: SessionAlarm) {
    const ids = [id, ...readPutAway()].slice(0, 100);
    localStorage.setItem(PUT_AWAY, JSON.stringify(ids));
    setPutAway(ids);
  }

  const alarms = data?.filter(({ session_id: id }) => !putAway.includes(id)) ?? [];
  return (
    <div role="status" className="mt-6 grid gap-3 empty:hidden">
      {alarms.map((alarm) => (
        <Alarm
          key={alarm.session_id}
          alarm={alarm}
          paused={operations.filter(
            ({ status, session_id: id }) => status === "paused" && id === alarm.session_id,
          )}
          onDismiss={() => dismiss(alarm)}
        />
      ))}
    </div>
  );
}

interface AlarmProps {
  alarm: SessionAlarm;
  paused: readonly Operation[];
  onDismiss: () => void;
}

function Alarm({ alarm, paused, onDismiss }: AlarmProps) {
  const { client, at } = alarm;
  return (
    <Notice look="danger">
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="min-w-0 flex-1 basis-72">
          <p>
            <strong className="font-semibold">
              The session on {deviceName(client)} was ended to protect you.
            </strong>{" "}
            <RelativeTime iso={at} />
            {client.ip !== null && <>, signed in from {client.ip}</>}: a spent key of it was used again, as
            happens when a copy was stolen. Every copy is worthless now. Where that browser is yours, sign in
            there again; where it may have been copied, clean it first.
          </p>
          {paused.length > 0 && (
            <p className="mt-3">What it had started stands still until you sign for it:</p>
          )}
          <Running operations={paused} />
        </div>
        <Button onClick={onDismiss} aria-label={`Dismiss the alarm about ${deviceName(client)}`}>
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
