"use client";

import { useNow } from "../components/use-now.ts";
import { type Held, tail } from "./lab-client.ts";
import type { Recorder } from "./recording.ts";

/** What the client of the lab holds at this moment. */
export function Holdings({ held, recorder }: { held: Held; recorder: Recorder }) {
  useNow(1_000);
  const leftSeconds = Math.ceil((held.accessEndsAt - recorder.now()) / 1_000);
  const facts = [
    ["Session", `${held.sessionId.slice(0, 6)}…`],
    ["Generation", String(held.generation)],
    ["Access token", leftSeconds > 0 ? `${leftSeconds} s left` : "ended"],
    ["Refresh token", `…${tail(held.refreshToken)}`],
    ["Retry key", held.retryKey === null ? "none yet" : `…${tail(held.retryKey)}`],
  ];
  return (
    <dl className="flex flex-wrap gap-x-8 gap-y-3">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt className="text-xs text-muted">{name}</dt>
          <dd className="font-mono text-sm tabular-nums">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
