import { type Activity, accruedFor, elapsedAt } from "./accrual.ts";
import type { LedgerEntry, Totals } from "./ledger.ts";
import type { Stroops } from "./money.ts";

export const STREAM_STATUSES = ["draft", "active", "paused", "completed", "cancelled"] as const;
export type StreamStatus = (typeof STREAM_STATUSES)[number];

export const ROLES = ["sender", "recipient"] as const;
export type Role = (typeof ROLES)[number];

/** Money that flows from one account to another, by the second, out of a deposit. Times in milliseconds since 1970. */
export interface Stream extends Activity, Totals {
  readonly id: string;
  readonly status: StreamStatus;
  /** Actor ids, compared as texts. */
  readonly sender: string;
  readonly recipient: string;
  readonly title: string | null;
  readonly asset: "XLM";
  readonly createdAt: number;
  /** When it was first started. */
  readonly startedAt: number | null;
  /** When it was completed or cancelled. */
  readonly endedAt: number | null;
}

export type StreamEventType =
  | "created"
  | "started"
  | "paused"
  | "resumed"
  | "settled"
  | "withdrawn"
  | "cancelled"
  | "completed";

/** A line of a stream's history, and the entry of the ledger that it stands for, if it moved money. */
export interface StreamEvent {
  readonly type: StreamEventType;
  readonly entry: LedgerEntry | null;
}

/** What a person is to the stream; null: nothing, and so it does not exist for them. */
export function roleOf(stream: Pick<Stream, "sender" | "recipient">, actorId: string): Role | null {
  if (actorId === stream.sender) return "sender";
  return actorId === stream.recipient ? "recipient" : null;
}

/** What the recipient has earned until `now`. Never less than what is settled, never more than the deposit. */
export function accruedAt(stream: Stream, now: number): Stroops {
  return accruedFor(stream.deposited, elapsedAt(stream, now), stream.durationSeconds);
}

/** Earned until `now` and not settled yet. */
export function dueAt(stream: Stream, now: number): Stroops {
  return accruedAt(stream, now) - stream.settled;
}

export interface NewStream {
  readonly id: string;
  readonly sender: string;
  readonly recipient: string;
  readonly title: string | null;
  readonly deposit: Stroops;
  readonly durationSeconds: number;
}

/** A draft, with its whole deposit in escrow. */
export function createStream(
  { deposit, ...given }: NewStream,
  now: number,
): { stream: Stream; events: readonly StreamEvent[] } {
  const stream: Stream = {
    ...given,
    status: "draft",
    asset: "XLM",
    deposited: deposit,
    settled: 0n,
    withdrawn: 0n,
    refunded: 0n,
    elapsedMs: 0,
    runningSince: null,
    createdAt: now,
    startedAt: null,
    endedAt: null,
  };
  return { stream, events: [{ type: "created", entry: { kind: "deposit", amount: deposit } }] };
}
