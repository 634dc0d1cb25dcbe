"use client";

import { amountText } from "../../components/amount.ts";
import { Card } from "../../components/card.tsx";
import { durationText } from "../../components/duration.ts";
import { Money } from "../../components/money.tsx";
import { useServerNow } from "../../components/server-clock.ts";
import { amountsAt, type StreamAmounts } from "../accrual.ts";
import type { StreamWithHistory } from "../stream-data.ts";
import { AccrualChart } from "./accrual-chart.tsx";
import { accrualPlot } from "./accrual-plot.ts";

const MOMENT = new Intl.DateTimeFormat("en", {
  month: "short",
  day: "numeric",
  hour: "numeric",
  minute: "2-digit",
});

/** The stream as it flows: what has been paid to this second, drawn over time. */
export function StreamFlow({ stream }: { stream: StreamWithHistory }) {
  const now = useServerNow() || Date.parse(stream.as_of);
  const amounts = amountsAt(stream, now);
  const plot = accrualPlot(stream, amounts.elapsedSeconds, now);
  const live = stream.status === "active" && amounts.accrued < amounts.deposited;
  return (
    <Card labelledBy="flow">
      <h2 id="flow" className="text-sm text-muted">
        {stream.role === "sender" ? "Streamed to the recipient" : "Streamed to you"}
      </h2>
      <p className="mt-1">
        <Money value={amounts.accrued} asset={stream.asset} size="hero" />
      </p>
      <p className="mt-2 text-sm text-muted">{paceText(stream, amounts)}</p>
      <div className="mt-12">
        <AccrualChart
          plot={plot}
          label={chartText(stream, amounts, plot.pauses.length)}
          live={live}
          top={`${amountText(amounts.deposited)} ${stream.asset}`}
        />
      </div>
      <p aria-hidden="true" className="mt-2 flex justify-between gap-4 text-xs text-muted tabular-nums">
        <span>{stream.started_at === null ? "If started now" : MOMENT.format(plot.from)}</span>
        <span>{MOMENT.format(plot.to)}</span>
      </p>
      <Legend
        pauses={plot.pauses.length > 0}
        settlements={plot.settlements.length > 0}
        plan={plot.planned !== null}
      />
    </Card>
  );
}

function paceText(stream: StreamWithHistory, { accrued, deposited, elapsedSeconds }: StreamAmounts): string {
  const left = durationText(stream.duration_seconds - elapsedSeconds);
  switch (stream.status) {
    case "draft":
      return `Not started. It will run for ${durationText(stream.duration_seconds)}.`;
    case "active":
      if (accrued === deposited) return "All of it is earned. The next settlement completes the stream.";
      return `${left} left of ${durationText(stream.duration_seconds)}.`;
    case "paused":
      return `Paused, with ${left} left of ${durationText(stream.duration_seconds)}.`;
    case "completed":
      return "All of it was streamed.";
    case "cancelled":
      return `Cancelled after ${durationText(elapsedSeconds)} of ${durationText(stream.duration_seconds)}.`;
  }
}

function chartText(stream: StreamWithHistory, amounts: StreamAmounts, pauses: number): string {
  const parts = [
    `Streamed over time: ${amountText(amounts.accrued)} of ${amountText(amounts.deposited)} ${stream.asset}.`,
  ];
  if (stream.started_at !== null) parts.push(`Started ${MOMENT.format(Date.parse(stream.started_at))}.`);
  if (pauses > 0) parts.push(pauses === 1 ? "One pause." : `${pauses} pauses.`);
  if (stream.ends_at !== null) parts.push(`Runs out ${MOMENT.format(Date.parse(stream.ends_at))}.`);
  return parts.join(" ");
}

function Legend({ pauses, settlements, plan }: { pauses: boolean; settlements: boolean; plan: boolean }) {
  return (
    <ul aria-hidden="true" className="mt-4 flex flex-wrap gap-x-5 gap-y-1 text-xs text-muted">
      <li className="flex items-center gap-2">
        <span className="h-0.5 w-4 rounded-full bg-accent" /> Streamed
      </li>
      {plan && (
        <li className="flex items-center gap-2">
          <span className="w-4 border-t border-dashed border-accent" /> If it goes on
        </li>
      )}
      {pauses && (
        <li className="flex items-center gap-2">
          <span className="size-3 rounded-sm bg-notice/20" /> Paused
        </li>
      )}
      {settlements && (
        <li className="flex items-center gap-2">
          <span className="size-2.5 rounded-full border-2 border-accent" /> Settled
        </li>
      )}
    </ul>
  );
}
