"use client";

import { Fragment } from "react";
import { Card } from "../../components/card.tsx";
import { amountText, Money } from "../../components/money.tsx";
import { durationText, useServerNow } from "../../components/time.tsx";
import { amountsAt, type StreamAmounts, type StreamWithHistory } from "../stream-data.ts";
import { type AccrualPlot, accrualPlot, type PlotPoint } from "./accrual-plot.ts";

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
  const marks = [
    { text: "Streamed", look: "h-0.5 w-4 rounded-full bg-accent", isShown: true },
    { text: "If it goes on", look: "w-4 border-t border-dashed border-accent", isShown: plan },
    { text: "Paused", look: "size-3 rounded-sm bg-notice/20", isShown: pauses },
    { text: "Settled", look: "size-2.5 rounded-full border-2 border-accent", isShown: settlements },
  ];
  return (
    <ul aria-hidden="true" className="mt-4 flex flex-wrap gap-x-5 gap-y-1 text-xs text-muted">
      {marks.map(
        ({ text, look, isShown }) =>
          isShown && (
            <li key={text} className="flex items-center gap-2">
              <span className={look} /> {text}
            </li>
          ),
      )}
    </ul>
  );
}

const WIDTH = 1_000;
const HEIGHT = 400;

interface AccrualChartProps {
  plot: AccrualPlot;
  /** All of it in a sentence, for those who do not see it. */
  label: string;
  /** Whether time goes on in it. */
  live: boolean;
  /** The whole deposit, at the upper edge. */
  top: string;
}

/** What a stream has paid over time, its pauses and settlements, and where it leads. */
function AccrualChart({ plot, label, live, top }: AccrualChartProps) {
  const span = plot.to - plot.from;
  const x = (at: number) => ((at - plot.from) / span) * WIDTH;
  const y = (level: number) => HEIGHT - level * HEIGHT;
  const line = plot.past.map(({ at, level }) => `${x(at)},${y(level)}`).join(" ");
  const last = plot.past.at(-1);
  const percent = ({ at, level }: PlotPoint) => ({
    left: `${(x(at) / WIDTH) * 100}%`,
    top: `${(y(level) / HEIGHT) * 100}%`,
  });

  return (
    <div role="img" aria-label={label} className="relative h-56 sm:h-64">
      <span className="absolute -top-5 left-0 text-xs text-muted tabular-nums">{top}</span>
      <svg
        aria-hidden="true"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        className="absolute inset-0 size-full overflow-visible"
      >
        {[0, 0.25, 0.5, 0.75, 1].map((level) => (
          <path
            key={level}
            d={`M0 ${y(level)}H${WIDTH}`}
            className={level === 0 ? "stroke-edge" : "stroke-line"}
            vectorEffect="non-scaling-stroke"
          />
        ))}
        {plot.pauses.map(({ from, to }) => (
          <rect
            key={from}
            x={x(from)}
            y="0"
            width={x(to) - x(from)}
            height={HEIGHT}
            className="fill-notice/10"
          />
        ))}
        {last !== undefined && (
          <Fragment>
            <polygon
              points={`${x(plot.past[0]?.at ?? last.at)},${HEIGHT} ${line} ${x(last.at)},${HEIGHT}`}
              className="fill-accent/12"
            />
            {plot.planned !== null && (
              <path
                d={`M${x(last.at)} ${y(last.level)}L${x(plot.planned.at)} ${y(plot.planned.level)}`}
                className="stroke-accent/60"
                strokeWidth="1.5"
                strokeDasharray="3 5"
                vectorEffect="non-scaling-stroke"
              />
            )}
            <polyline
              points={line}
              fill="none"
              className="stroke-accent"
              strokeWidth="2.5"
              strokeLinejoin="round"
              strokeLinecap="round"
              vectorEffect="non-scaling-stroke"
            />
          </Fragment>
        )}
      </svg>
      {plot.settlements.map((point) => (
        <span
          key={point.at}
          aria-hidden="true"
          className="absolute size-2.5 -translate-1/2 rounded-full border-2 border-accent bg-surface"
          style={percent(point)}
        />
      ))}
      {last !== undefined && (
        <span aria-hidden="true" className="absolute size-3 -translate-1/2" style={percent(last)}>
          {live && <span className="absolute inset-0 rounded-full bg-accent motion-safe:animate-ping" />}
          <span className="absolute inset-0 rounded-full border-2 border-surface bg-accent" />
        </span>
      )}
    </div>
  );
}
