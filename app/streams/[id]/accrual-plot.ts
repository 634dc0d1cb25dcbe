import type { StreamWithHistory } from "../stream-data.ts";

/** A moment, and how much of the whole duration the stream had been active by then, from 0 to 1. */
export interface PlotPoint {
  readonly at: number;
  readonly level: number;
}

/** What is drawn of a stream. Times in milliseconds since 1970; for the eye alone, nothing is counted with it. */
export interface AccrualPlot {
  readonly from: number;
  readonly to: number;
  /** Corners of the line so far, in order; the last one is now, or the end. */
  readonly past: readonly PlotPoint[];
  /** Where it leads if it goes on from now without a pause; null where it does not. */
  readonly planned: PlotPoint | null;
  readonly pauses: readonly { readonly from: number; readonly to: number }[];
  /** Where something was settled. */
  readonly settlements: readonly PlotPoint[];
}

/** Draws from the history what has been, and from there the plan. `elapsedSeconds`: active until `now`. */
export function accrualPlot(stream: StreamWithHistory, elapsedSeconds: number, now: number): AccrualPlot {
  const durationMs = stream.duration_seconds * 1_000;
  const elapsedMs = elapsedSeconds * 1_000;
  const ended = stream.ended_at === null ? null : Date.parse(stream.ended_at);
  const until = ended ?? now;
  const events = stream.history
    .map(({ type, at }) => ({ type, at: Math.min(Date.parse(at), until) }))
    .filter(({ type }) => type !== "created")
    .reverse();
  const from = events[0]?.at ?? now;

  const past: PlotPoint[] = [];
  const pauses: { from: number; to: number }[] = [];
  const settlements: PlotPoint[] = [];
  // A history that was cut off does not tell what had been before its oldest entry: the rest of the sum does.
  let active = Math.max(0, elapsedMs - activeMsIn(events, until));
  let runningSince = stateBefore(events) ? from : null;
  let pausedSince: number | null = null;

  const point = (at: number): PlotPoint => {
    const running = runningSince === null ? 0 : at - runningSince;
    return { at, level: Math.min(1, (active + running) / durationMs) };
  };
  const stop = (at: number) => {
    const fullAt = runningSince === null ? Number.POSITIVE_INFINITY : runningSince + durationMs - active;
    if (fullAt < at) past.push(point(fullAt));
    past.push(point(at));
    if (runningSince !== null) active += at - runningSince;
    runningSince = null;
  };

  for (const { type, at } of events) {
    if (type === "started" || type === "resumed") {
      if (pausedSince !== null) pauses.push({ from: pausedSince, to: at });
      pausedSince = null;
      past.push(point(at));
      runningSince = at;
    } else if (type === "settled") settlements.push(point(at));
    else if (type !== "withdrawn") {
      stop(at);
      if (type === "paused") pausedSince = at;
    }
  }
  if (pausedSince !== null && until > pausedSince) pauses.push({ from: pausedSince, to: until });
  stop(until);

  const goesOn = ended === null && elapsedMs < durationMs;
  const planned = goesOn ? { at: now + durationMs - elapsedMs, level: 1 } : null;
  return { from, to: Math.max(planned?.at ?? until, from + 1), past, planned, pauses, settlements };
}

type PlotEvent = { readonly type: string; readonly at: number };

const STARTS = ["started", "resumed"];
const STOPS = ["paused", "completed", "cancelled"];

/** Whether the stream was running before the oldest entry: only a history that was cut off begins so. */
function stateBefore(events: readonly PlotEvent[]): boolean {
  const first = events.find(({ type }) => STARTS.includes(type) || STOPS.includes(type));
  return first?.type === "paused";
}

function activeMsIn(events: readonly PlotEvent[], until: number): number {
  let total = 0;
  let since = stateBefore(events) ? (events[0]?.at ?? null) : null;
  for (const { type, at } of events) {
    if (STARTS.includes(type)) since = at;
    else if (STOPS.includes(type) && since !== null) {
      total += at - since;
      since = null;
    }
  }
  return since === null ? total : total + until - since;
}
