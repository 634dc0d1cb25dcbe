import { Fragment } from "react";
import type { AccrualPlot, PlotPoint } from "./accrual-plot.ts";

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
export function AccrualChart({ plot, label, live, top }: AccrualChartProps) {
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
