import { expect, test } from "vitest";
import { createStream, ROLES, STREAM_STATUSES, type Stream, type StreamStatus } from "./stream.ts";
import { STREAM_COMMANDS, type StreamCommand, transition } from "./transitions.ts";

const START = 1_790_000_000_123;
const SENDER = "GSENDER";
const RECIPIENT = "GRECIPIENT";

/** 1,000 stroops over 100 seconds: 10 each second. */
const DRAFT = createStream(
  { id: "s", sender: SENDER, recipient: RECIPIENT, title: null, deposit: 1_000n, durationSeconds: 100 },
  START,
).stream;

function after(stream: Stream, role: "sender" | "recipient", command: StreamCommand, seconds: number) {
  return transition(stream, role, command, START + seconds * 1_000);
}

/** The stream after commands that must each change it. */
function played(...commands: [StreamCommand, number][]): Stream {
  return commands.reduce((stream, [command, seconds]) => {
    const result = after(stream, command === "withdraw" ? "recipient" : "sender", command, seconds);
    if (result.outcome !== "changed") throw new Error(`${command} at ${seconds}: ${result.outcome}`);
    return result.stream;
  }, DRAFT);
}

const IN_STATUS: Readonly<Record<StreamStatus, Stream>> = {
  draft: DRAFT,
  active: played(["start", 0]),
  paused: played(["start", 0], ["pause", 20]),
  completed: played(["start", 0], ["settle", 100]),
  cancelled: played(["start", 0], ["cancel", 20]),
};

// The table of docs/streams.md: what each command makes of each status 30 seconds after the start.
test.each<[StreamCommand, "sender" | "recipient", Record<StreamStatus, string>]>([
  ["start", "sender", { draft: "active", active: "-", paused: "active", completed: "-", cancelled: "-" }],
  ["pause", "sender", { draft: "-", active: "paused", paused: "-", completed: "-", cancelled: "-" }],
  ["settle", "sender", { draft: "-", active: "active", paused: "paused", completed: "-", cancelled: "-" }],
  ["settle", "recipient", { draft: "-", active: "active", paused: "paused", completed: "-", cancelled: "-" }],
  [
    "withdraw",
    "recipient",
    { draft: "-", active: "active", paused: "paused", completed: "completed", cancelled: "cancelled" },
  ],
  [
    "cancel",
    "sender",
    { draft: "cancelled", active: "cancelled", paused: "cancelled", completed: "-", cancelled: "-" },
  ],
])("%s by the %s", (command, role, expected) => {
  const seen = STREAM_STATUSES.map((status) => {
    const result = after(IN_STATUS[status], role, command, 30);
    if (result.outcome === "changed") return [status, result.stream.status];
    expect(result).toEqual({ outcome: "refused", refusal: "stream_state" });
    return [status, "-"];
  });
  expect(Object.fromEntries(seen)).toEqual(expected);
});

test("whose command it is not: refused in every state", () => {
  const allowed: Record<StreamCommand, readonly string[]> = {
    start: ["sender"],
    pause: ["sender"],
    settle: ROLES,
    withdraw: ["recipient"],
    cancel: ["sender"],
  };
  for (const command of STREAM_COMMANDS) {
    for (const role of ROLES.filter((role) => !allowed[command].includes(role))) {
      for (const status of STREAM_STATUSES) {
        expect(after(IN_STATUS[status], role, command, 30)).toEqual({
          outcome: "refused",
          refusal: "not_permitted",
        });
      }
    }
  }
});

test("settling moves what is earned, once; the last of it completes the stream", () => {
  const active = IN_STATUS.active;
  expect(after(active, "recipient", "settle", 0.9)).toEqual({ outcome: "unchanged" });
  expect(after(active, "recipient", "settle", 12)).toMatchObject({
    stream: { settled: 120n, status: "active" },
    events: [{ type: "settled", entry: { kind: "settlement", amount: 120n } }],
  });
  expect(after(played(["start", 0], ["settle", 12]), "sender", "settle", 12)).toEqual({
    outcome: "unchanged",
  });
  expect(after(active, "sender", "settle", 1_000)).toMatchObject({
    stream: { settled: 1_000n, status: "completed", runningSince: null, endedAt: START + 1_000_000 },
    events: [{ type: "settled" }, { type: "completed", entry: null }],
  });
});

test("withdrawing settles first and pays out the whole claim; with nothing to take it is refused", () => {
  const settled = played(["start", 0], ["settle", 12]);
  expect(after(settled, "recipient", "withdraw", 15)).toMatchObject({
    stream: { settled: 150n, withdrawn: 150n },
    events: [
      { type: "settled", entry: { kind: "settlement", amount: 30n } },
      { type: "withdrawn", entry: { kind: "withdrawal", amount: 150n } },
    ],
  });
  const taken = played(["start", 0], ["withdraw", 15]);
  expect(after(taken, "recipient", "withdraw", 15)).toEqual({ outcome: "refused", refusal: "stream_state" });
  expect(after(played(["start", 0], ["cancel", 15]), "recipient", "withdraw", 99)).toMatchObject({
    stream: { status: "cancelled", withdrawn: 150n },
  });
});

test("cancelling pays what was earned and gives back the rest", () => {
  expect(after(DRAFT, "sender", "cancel", 5)).toMatchObject({
    stream: { status: "cancelled", settled: 0n, refunded: 1_000n },
    events: [{ type: "cancelled", entry: { kind: "refund", amount: 1_000n } }],
  });
  expect(after(IN_STATUS.active, "sender", "cancel", 25.5)).toMatchObject({
    stream: { status: "cancelled", settled: 250n, refunded: 750n, endedAt: START + 25_500 },
    events: [{ type: "settled" }, { type: "cancelled", entry: { kind: "refund", amount: 750n } }],
  });
});

test("a stream that has run out is neither paused nor cancelled: there is only the last settlement to come", () => {
  expect(after(IN_STATUS.active, "sender", "pause", 100)).toEqual({
    outcome: "refused",
    refusal: "stream_state",
  });
  expect(after(IN_STATUS.active, "sender", "cancel", 100)).toMatchObject({
    stream: { status: "completed", settled: 1_000n, refunded: 0n },
    events: [{ type: "settled" }, { type: "completed" }],
  });
});

test("time stands still while it is paused", () => {
  const resumed = played(["start", 0], ["pause", 20.4], ["start", 500]);
  expect(resumed.startedAt).toBe(START);
  expect(after(resumed, "recipient", "withdraw", 500.5)).toMatchObject({ stream: { withdrawn: 200n } });
  expect(after(resumed, "recipient", "withdraw", 500.6)).toMatchObject({ stream: { withdrawn: 210n } });
});
