import { expect, test } from "vitest";
import type { StreamEventType } from "../../lib/streams/stream.ts";
import type { StreamWithHistory } from "../stream-data.ts";
import { accrualPlot } from "./accrual-plot.ts";

const T0 = Date.parse("2026-11-24T12:00:00.000Z");
const at = (seconds: number) => T0 + seconds * 1_000;

/** A stream of 100 s with this history, oldest first, in seconds from its start. */
function stream(
  events: readonly [StreamEventType, number][],
  given: Partial<StreamWithHistory> = {},
): StreamWithHistory {
  return {
    id: "AAAAAAAAAAAAAAAAAAAAAA",
    status: "active",
    sender: "GA",
    recipient: "GB",
    role: "sender",
    title: null,
    asset: "XLM",
    deposited: "100.0000000",
    accrued: "0.0000000",
    settled: "0.0000000",
    withdrawn: "0.0000000",
    withdrawable: "0.0000000",
    refunded: "0.0000000",
    remaining: "100.0000000",
    duration_seconds: 100,
    elapsed_seconds: 0,
    as_of: new Date(T0).toISOString(),
    created_at: new Date(T0).toISOString(),
    started_at: new Date(T0).toISOString(),
    ends_at: null,
    ended_at: null,
    version: 1,
    history: events
      .map(([type, seconds], index) => ({
        id: index,
        at: new Date(at(seconds)).toISOString(),
        type,
        by: null,
        amount: null,
        operation_id: null,
      }))
      .reverse(),
    ...given,
  };
}

test("a line rises while it flows, stays level while it is paused, and leads on to its end", () => {
  const plot = accrualPlot(
    stream([
      ["created", -5],
      ["started", 0],
      ["settled", 10],
      ["paused", 20],
      ["resumed", 30],
    ]),
    40,
    at(50),
  );
  expect(plot).toEqual({
    from: at(0),
    to: at(110),
    past: [
      { at: at(0), level: 0 },
      { at: at(20), level: 0.2 },
      { at: at(30), level: 0.2 },
      { at: at(50), level: 0.4 },
    ],
    planned: { at: at(110), level: 1 },
    pauses: [{ from: at(20), to: at(30) }],
    settlements: [{ at: at(10), level: 0.1 }],
  });
});

test("a draft is a plan alone", () => {
  const plot = accrualPlot(stream([["created", -5]], { status: "draft", started_at: null }), 0, at(7));
  expect(plot).toMatchObject({ from: at(7), to: at(107), planned: { at: at(107) }, pauses: [] });
});

test("a pause that lasts reaches to now", () => {
  const plot = accrualPlot(
    stream(
      [
        ["started", 0],
        ["paused", 20],
      ],
      { status: "paused" },
    ),
    20,
    at(60),
  );
  expect(plot.pauses).toEqual([{ from: at(20), to: at(60) }]);
  expect(plot.past.at(-1)).toEqual({ at: at(60), level: 0.2 });
  expect(plot.planned).toEqual({ at: at(140), level: 1 });
});

test("what has run out stays at the top until it is settled", () => {
  const plot = accrualPlot(stream([["started", 0]]), 100, at(130));
  expect(plot.past).toEqual([
    { at: at(0), level: 0 },
    { at: at(100), level: 1 },
    { at: at(130), level: 1 },
  ]);
  expect([plot.to, plot.planned]).toEqual([at(130), null]);
});

test("a cancelled stream ends where it was cancelled, whatever the time is now", () => {
  const ended = { status: "cancelled", ended_at: new Date(at(30)).toISOString() } as const;
  const plot = accrualPlot(
    stream(
      [
        ["started", 0],
        ["settled", 30],
        ["cancelled", 30],
      ],
      ended,
    ),
    30,
    at(900),
  );
  expect([plot.to, plot.planned]).toEqual([at(30), null]);
  expect(plot.past.at(-1)).toEqual({ at: at(30), level: 0.3 });
});

test("a history that was cut off begins at the level that the sum tells", () => {
  const plot = accrualPlot(
    stream([
      ["settled", 40],
      ["paused", 50],
      ["resumed", 60],
    ]),
    70,
    at(80),
  );
  expect(plot.past).toEqual([
    { at: at(50), level: 0.5 },
    { at: at(60), level: 0.5 },
    { at: at(80), level: 0.7 },
  ]);
  expect(plot.settlements).toEqual([{ at: at(40), level: 0.4 }]);
});
