import type { SessionClient } from "wallet-session/client";
import { change, read } from "../components/request.ts";
import { noteServerTime } from "../components/server-clock.ts";
import type { Role, StreamEventType, StreamStatus } from "../lib/streams/stream.ts";
import type { StreamCommand } from "../lib/streams/transitions.ts";

/** A stream as the API tells it (docs/api.md). Amounts are decimal strings, times ISO 8601. */
export interface Stream {
  readonly id: string;
  readonly status: StreamStatus;
  readonly sender: string;
  readonly recipient: string;
  readonly role: Role;
  readonly title: string | null;
  readonly asset: string;
  readonly deposited: string;
  readonly accrued: string;
  readonly settled: string;
  readonly withdrawn: string;
  readonly withdrawable: string;
  readonly refunded: string;
  readonly remaining: string;
  readonly duration_seconds: number;
  readonly elapsed_seconds: number;
  readonly as_of: string;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly ends_at: string | null;
  readonly ended_at: string | null;
  readonly version: number;
}

export interface StreamHistoryEntry {
  readonly id: number;
  readonly at: string;
  readonly type: StreamEventType;
  readonly by: string | null;
  readonly amount: string | null;
  readonly operation_id: string | null;
}

export interface StreamWithHistory extends Stream {
  /** Newest first. */
  readonly history: readonly StreamHistoryEntry[];
}

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
export async function readStream(client: SessionClient, id: string): Promise<StreamWithHistory> {
  const stream = await read<StreamWithHistory>(client, `/api/streams/${encodeURIComponent(id)}`);
  noteServerTime(stream.as_of);
  return stream;
}

/** @throws SessionClientError */
export async function createStream(
  client: SessionClient,
  wanted: NewStream,
  idempotencyKey: string,
): Promise<Stream> {
  const stream = await change<Stream>(client, "/api/streams", { body: wanted, idempotencyKey });
  noteServerTime(stream.as_of);
  return stream;
}

/** Only if the stream is still as the person saw it. @throws SessionClientError */
export async function commandStream(
  client: SessionClient,
  seen: Stream,
  command: StreamCommand,
): Promise<Stream> {
  const path = `/api/streams/${encodeURIComponent(seen.id)}/${command}`;
  const stream = await change<Stream>(client, path, { ifVersion: seen.version });
  noteServerTime(stream.as_of);
  return stream;
}

export function isStream(data: unknown): data is Stream {
  return (
    typeof data === "object" && data !== null && "id" in data && "version" in data && "deposited" in data
  );
}
