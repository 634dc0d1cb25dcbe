"use client";

import { useEffect, useState } from "react";
import type { SessionTiming } from "wallet-session/client";
import { useSession, useSessionClient } from "wallet-session/react";
import { minutesAndSeconds } from "../components/time.tsx";

/** How long until the session renews itself. Seen, not read out: it changes every second. */
export function RenewalMeter() {
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
