"use client";

import { Button } from "../components/button.tsx";
import { RelativeTime } from "../components/time.tsx";
import type { Operation } from "../operations/operation-data.ts";
import { DeviceIcon, deviceName } from "./device.tsx";
import { Running } from "./running.tsx";
import type { ListedSession } from "./session-data.ts";

interface SessionListProps {
  sessions: readonly ListedSession[];
  running: readonly Operation[];
  onEnd: (session: ListedSession) => void;
}

export function SessionList({ sessions, running, onEnd }: SessionListProps) {
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
