"use client";

import { Address } from "../components/address.tsx";
import { Card } from "../components/card.tsx";
import { Fact } from "../components/fact.tsx";
import { DateOnly, RelativeTime } from "../components/time.tsx";
import { deviceName } from "./device.tsx";
import { RenewalMeter } from "./renewal-meter.tsx";
import type { ListedSession } from "./session-data.ts";

export function ThisSession({ actorId, session }: { actorId: string; session: ListedSession | undefined }) {
  return (
    <Card labelledBy="this-session">
      <h2 id="this-session" className="text-lg font-semibold tracking-tight">
        This session
      </h2>
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
