import { countedUntil } from "./accrual.ts";
import { remainingOf } from "./ledger.ts";
import {
  accruedAt,
  dueAt,
  type Role,
  STREAM_STATUSES,
  type Stream,
  type StreamEvent,
  type StreamStatus,
} from "./stream.ts";

export const STREAM_COMMANDS = ["start", "pause", "settle", "withdraw", "cancel"] as const;
export type StreamCommand = (typeof STREAM_COMMANDS)[number];

/** Who may give which command, and in which state (docs/streams.md). */
export const RULES: Readonly<
  Record<StreamCommand, { readonly by: readonly Role[]; readonly from: readonly StreamStatus[] }>
> = {
  start: { by: ["sender"], from: ["draft", "paused"] },
  pause: { by: ["sender"], from: ["active"] },
  settle: { by: ["sender", "recipient"], from: ["active", "paused"] },
  withdraw: { by: ["recipient"], from: STREAM_STATUSES },
  cancel: { by: ["sender"], from: ["draft", "active", "paused"] },
};

export type Refusal =
  /** Not a command of this role. */
  | "not_permitted"
  /** Not in this state. */
  | "stream_state";

export type Transition =
  | { readonly outcome: "changed"; readonly stream: Stream; readonly events: readonly StreamEvent[] }
  /** Allowed, and nothing to do. */
  | { readonly outcome: "unchanged" }
  | { readonly outcome: "refused"; readonly refusal: Refusal };

/** The stream after a command at an instant. A pure function: the same three always give the same. */
export function transition(stream: Stream, role: Role, command: StreamCommand, now: number): Transition {
  const { by, from } = RULES[command];
  if (!by.includes(role)) return refused("not_permitted");
  if (!from.includes(stream.status)) return refused("stream_state");
  switch (command) {
    case "start":
      return start(stream, now);
    case "pause":
      return pause(stream, now);
    case "settle":
      return settle(stream, now);
    case "withdraw":
      return withdraw(stream, now);
    case "cancel":
      return cancel(stream, now);
  }
}

function start(stream: Stream, now: number): Transition {
  const active: Stream = {
    ...stream,
    status: "active",
    runningSince: now,
    startedAt: stream.startedAt ?? now,
  };
  return changed(active, [{ type: stream.status === "draft" ? "started" : "resumed", entry: null }]);
}

/** A stream that has run out has nothing left to pause: it waits for its last settlement. */
function pause(stream: Stream, now: number): Transition {
  if (accruedAt(stream, now) === stream.deposited) return refused("stream_state");
  const paused: Stream = { ...countedUntil(stream, now), status: "paused", runningSince: null };
  return changed(paused, [{ type: "paused", entry: null }]);
}

/** What is earned and not settled goes from escrow to the recipient's claim; when that was the last of it, the stream ends. */
function settle(stream: Stream, now: number): Transition {
  const amount = dueAt(stream, now);
  if (amount === 0n) return { outcome: "unchanged" };
  const counted = countedUntil(stream, now);
  const settled: Stream = { ...counted, settled: stream.settled + amount };
  const events: StreamEvent[] = [{ type: "settled", entry: { kind: "settlement", amount } }];
  if (settled.settled < settled.deposited) return changed(settled, events);
  return changed({ ...settled, status: "completed", runningSince: null, endedAt: now }, [
    ...events,
    { type: "completed", entry: null },
  ]);
}

/** Settles, then pays out the whole claim. */
function withdraw(stream: Stream, now: number): Transition {
  const first = settledFirst(stream, now);
  const amount = first.stream.settled - first.stream.withdrawn;
  if (amount === 0n) return refused("stream_state");
  return changed({ ...first.stream, withdrawn: first.stream.settled }, [
    ...first.events,
    { type: "withdrawn", entry: { kind: "withdrawal", amount } },
  ]);
}

/** Settles, then gives the sender back what is left in escrow. What ran out is completed by that, and nothing is left. */
function cancel(stream: Stream, now: number): Transition {
  const first = settledFirst(stream, now);
  if (first.stream.status === "completed") return changed(first.stream, first.events);
  const amount = remainingOf(first.stream);
  const cancelled: Stream = {
    ...countedUntil(first.stream, now),
    status: "cancelled",
    refunded: amount,
    runningSince: null,
    endedAt: now,
  };
  return changed(cancelled, [...first.events, { type: "cancelled", entry: { kind: "refund", amount } }]);
}

function settledFirst(stream: Stream, now: number): { stream: Stream; events: readonly StreamEvent[] } {
  const settlement = settle(stream, now);
  return settlement.outcome === "changed" ? settlement : { stream, events: [] };
}

function changed(stream: Stream, events: readonly StreamEvent[]): Transition {
  return { outcome: "changed", stream, events };
}

function refused(refusal: Refusal): Transition {
  return { outcome: "refused", refusal };
}
