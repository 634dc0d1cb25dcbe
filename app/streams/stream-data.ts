import type { SessionClient } from "wallet-session/client";
import { shortAddress } from "../components/address.tsx";
import { stroops } from "../components/money.tsx";
import { change, read } from "../components/request.ts";
import { noteServerTime } from "../components/time.tsx";
import { accruedFor } from "../lib/streams/accrual.ts";
import type { Role, StreamStatus } from "../lib/streams/stream.ts";
import type { StreamCommand } from "../lib/streams/transitions.ts";
import type { historyView, streamView } from "../lib/streams/view.ts";

/** A stream as the API tells it (docs/api.md). Amounts are decimal strings, times ISO 8601. */
export type Stream = ReturnType<typeof streamView>;

export type StreamHistoryEntry = Awaited<ReturnType<typeof historyView>>[number];

/** Its history is newest first. */
export type StreamWithHistory = Stream & { readonly history: readonly StreamHistoryEntry[] };

export interface StreamFilter {
  readonly status: StreamStatus | null;
  readonly role: Role | null;
}

export interface StreamPage {
  readonly streams: readonly Stream[];
  readonly next_cursor: string | null;
  readonly counts: Readonly<Record<StreamStatus, number>>;
}

export interface NewStream {
  readonly recipient: string;
  readonly deposit: string;
  readonly duration_seconds: number;
  readonly title?: string;
  readonly start: boolean;
}

/** @throws SessionClientError */
export async function listStreams(
  client: SessionClient,
  filter: StreamFilter,
  options: { cursor?: string | null; limit: number },
): Promise<StreamPage> {
  const query = new URLSearchParams({ limit: String(options.limit) });
  if (filter.status !== null) query.set("status", filter.status);
  if (filter.role !== null) query.set("role", filter.role);
  if (options.cursor) query.set("cursor", options.cursor);
  const page = await read<StreamPage>(client, `/api/streams?${query}`);
  const [first] = page.streams;
  if (first !== undefined) noteServerTime(first.as_of);
  return page;
}

/** @throws SessionClientError */
export function readStream(client: SessionClient, id: string): Promise<StreamWithHistory> {
  return onTime(read(client, `/api/streams/${encodeURIComponent(id)}`));
}

/** @throws SessionClientError */
export function createStream(
  client: SessionClient,
  body: NewStream,
  idempotencyKey: string,
): Promise<Stream> {
  return onTime(change(client, "/api/streams", { body, idempotencyKey }));
}

/** Only if the stream is still as the person saw it. `sign`: as in `change`. @throws SessionClientError, what `sign` throws */
export function commandStream(
  client: SessionClient,
  seen: Stream,
  command: StreamCommand,
  sign: (action: string) => Promise<string>,
): Promise<Stream> {
  const path = `/api/streams/${encodeURIComponent(seen.id)}/${command}`;
  return onTime(change(client, path, { ifVersion: seen.version, sign }));
}

/** Learns the server's time from an answer that has just come. */
async function onTime<T extends Stream>(answer: Promise<T>): Promise<T> {
  const stream = await answer;
  noteServerTime(stream.as_of);
  return stream;
}

export function isStream(data: unknown): data is Stream {
  return (
    typeof data === "object" && data !== null && "id" in data && "version" in data && "deposited" in data
  );
}

/** The other side of a stream, in a few words: "To GABCDE…UVWXYZ". */
export function otherSide({ role, sender, recipient }: Stream): string {
  return role === "sender" ? `To ${shortAddress(recipient)}` : `From ${shortAddress(sender)}`;
}

/** What a stream is called: its title, or else its other side. */
export function streamName(stream: Stream): string {
  return stream.title ?? otherSide(stream);
}

/** What a stream amounts to at one moment, in stroops. */
export type StreamAmounts = ReturnType<typeof amountsAt>;

/**
 * The amounts at `serverNowMs`, by the server's own rule: whole active seconds, rounded down to the stroop, never more
 * than the deposit. Before the moment that the answer speaks of, they are as it says.
 */
export function amountsAt(stream: Stream, serverNowMs: number) {
  const elapsedSeconds = elapsedAt(stream, serverNowMs);
  const deposited = stroops(stream.deposited);
  const withdrawn = stroops(stream.withdrawn);
  const settled = stroops(stream.settled);
  const told = stroops(stream.accrued);
  const computed = accruedFor(deposited, elapsedSeconds * 1_000, stream.duration_seconds);
  const accrued = stream.status === "active" && computed > told ? computed : told;
  return {
    elapsedSeconds,
    deposited,
    accrued,
    settled,
    withdrawn,
    withdrawable: accrued - withdrawn,
    /** Earned and not settled yet. */
    due: accrued - settled,
    refunded: stroops(stream.refunded),
    remaining: stroops(stream.remaining),
  };
}

function elapsedAt(stream: Stream, serverNowMs: number): number {
  if (stream.status !== "active") return stream.elapsed_seconds;
  const since = Math.max(0, Math.floor((serverNowMs - Date.parse(stream.as_of)) / 1_000));
  return Math.min(stream.duration_seconds, stream.elapsed_seconds + since);
}
