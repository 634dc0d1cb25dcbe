"use client";

import { useEffect, useState } from "react";
import type { SessionTiming } from "wallet-session/client";
import { useSession, useSessionClient } from "wallet-session/react";
import { Address } from "../components/address.tsx";
import { Card, Fact } from "../components/card.tsx";
import { DateOnly, minutesAndSeconds, RelativeTime } from "../components/time.tsx";
import { deviceName, type ListedSession } from "./session-data.tsx";

export function ThisSession({ actorId, session }: { actorId: string; session: ListedSession | undefined }) {
  return (
    <Card labelledBy="this-session" title="This session">
      <div className="mt-4 grid gap-6 sm:grid-cols-2 lg:grid-cols-1">
        <div>
          <p className="text-sm text-muted">Signed in as</p>
          <Address address={actorId} />
          <div className="mt-4">
            <RenewalMeter />
          </div>
        </div>
        {session !== undefined && (
          <dl className="grid grid-cols-2 content-start gap-x-6 gap-y-4 text-sm lg:border-t lg:border-line lg:pt-6">
            <Fact name="Device">{deviceName(session.client)}</Fact>
            <Fact name="Signed in">
              <RelativeTime iso={session.created_at} />
            </Fact>
            <Fact name="Renewed">{times(session.generation - 1)}</Fact>
            <Fact name="Ends at the latest">
              <DateOnly iso={session.expires_at} />
            </Fact>
          </dl>
        )}
      </div>
    </Card>
  );
}

function times(count: number): string {
  if (count === 0) return "not yet";
  return count === 1 ? "once" : `${count.toLocaleString("en")} times`;
}

/** How long until the session renews itself. Seen, not read out: it changes every second. */
function RenewalMeter() {
  const client = useSessionClient();
  const state = useSession();
  const [timing, setTiming] = useState<SessionTiming | null>(null);
  /** What the present wait began with. */
  const [whole, setWhole] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each answer of the server begins a new wait
  useEffect(() => {
    setWhole(client.timing()?.renewalMs ?? 0);
    const tick = () => setTiming(client.timing());
    tick();
    const timer = setInterval(tick, 1_000);
    return () => clearInterval(timer);
  }, [client, state]);

  if (timing === null) return null;
  const share = whole === 0 ? 0 : Math.min(1, timing.renewalMs / whole);
  return (
    <div>
      <p className="text-sm text-muted">
        {timing.renewalMs === 0 ? (
          "Renewing now…"
        ) : (
          <>
            Renews itself in{" "}
            <span className="font-mono text-ink tabular-nums">{minutesAndSeconds(timing.renewalMs)}</span>
          </>
        )}
      </p>
      <div aria-hidden="true" className="mt-2 h-1.5 overflow-hidden rounded-full bg-sunken">
        <div
          className="h-full origin-left rounded-full bg-accent motion-safe:transition-transform motion-safe:duration-1000 motion-safe:ease-linear"
          style={{ transform: `scaleX(${share})` }}
        />
      </div>
    </div>
  );
}
