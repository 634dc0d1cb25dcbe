import type { ExpressionBuilder } from "kysely";
import { malformed } from "../refusals.ts";
import type { Reader, Schema } from "../sql/schema.ts";
import { ROLES, type Role, STREAM_STATUSES, type StreamStatus } from "./stream.ts";
import { recordOf, type StreamRecord } from "./stream-store.ts";

export interface ListRequest {
  readonly actorId: string;
  readonly status: StreamStatus | null;
  readonly role: Role | null;
  readonly limit: number;
  /** Where the page before ended; null for the first. */
  readonly after: Place | null;
}

/** A place in a list that goes from new to old. */
export interface Place {
  readonly createdAt: number;
  readonly id: string;
}

export interface StreamPage {
  readonly records: readonly StreamRecord[];
  /** Null: this was the last page. */
  readonly next: Place | null;
}

/**
 * An actor's side of the streams. A recipient does not hear of drafts, nor of what was cancelled before it had paid anything:
 * anybody can name anybody.
 */
function seenAs(party: Role, actorId: string) {
  return ({ eb, and, or }: ExpressionBuilder<Schema, "streams">) => {
    const own = eb(party, "=", actorId);
    if (party === "sender") return own;
    const hasPaid = or([eb("status", "<>", "cancelled"), eb("settled", ">", 0n)]);
    return and([own, eb("started_at", "is not", null), hasPaid]);
  };
}

/** The actor's streams, newest first. What is made meanwhile never shifts a page. */
export async function listStreams(
  reader: Reader,
  { actorId, status, role, limit, after }: ListRequest,
): Promise<StreamPage> {
  const parts = (role === null ? ROLES : [role]).map((party) => {
    let query = reader.selectFrom("streams").selectAll().where(seenAs(party, actorId));
    if (status !== null) query = query.where("status", "=", status);
    if (after !== null) {
      query = query.where(({ eb, refTuple, tuple }) =>
        eb(refTuple("created_at", "id"), "<", tuple(BigInt(after.createdAt), after.id)),
      );
    }
    return query
      .orderBy("created_at", "desc")
      .orderBy("id", "desc")
      .limit(limit + 1)
      .execute();
  });
  const records = (await Promise.all(parts)).flat().map(recordOf).sort(newestFirst);
  const page = records.slice(0, limit);
  const last = page.at(-1);
  return { records: page, next: records.length > limit && last !== undefined ? last.stream : null };
}

function newestFirst({ stream: a }: StreamRecord, { stream: b }: StreamRecord): number {
  if (a.createdAt !== b.createdAt) return b.createdAt - a.createdAt;
  return a.id < b.id ? 1 : -1;
}

/** How many of the actor's streams are in each state. */
export async function countStreams(
  reader: Reader,
  { actorId, role }: Pick<ListRequest, "actorId" | "role">,
): Promise<Record<StreamStatus, number>> {
  const counts = { draft: 0, active: 0, paused: 0, completed: 0, cancelled: 0 };
  for (const party of role === null ? ROLES : [role]) {
    const rows = await reader
      .selectFrom("streams")
      .select(({ fn }) => ["status", fn.countAll<bigint>().as("streams")])
      .where(seenAs(party, actorId))
      .groupBy("status")
      .execute();
    for (const { status, streams } of rows) counts[status] += Number(streams);
  }
  return counts;
}

/** The ids of the actor's streams that can be settled, oldest first, no more than the limit. */
export async function openStreamIds(reader: Reader, actorId: string, limit: number): Promise<string[]> {
  const parts = ROLES.flatMap((party) =>
    (["active", "paused"] as const).map((status) =>
      reader
        .selectFrom("streams")
        .select(["id", "created_at"])
        .where(party, "=", actorId)
        .where("status", "=", status)
        .orderBy("created_at")
        .orderBy("id")
        .limit(limit)
        .execute(),
    ),
  );
  const rows = (await Promise.all(parts)).flat();
  rows.sort((a, b) => Number(a.created_at - b.created_at) || (a.id < b.id ? -1 : 1));
  return rows.slice(0, limit).map(({ id }) => id);
}

const CURSOR = /^(\d{1,15})\.([\w-]{22})$/;

export function cursorOf({ createdAt, id }: Place): string {
  return Buffer.from(`${createdAt}.${id}`).toString("base64url");
}

/** @throws invalid_request for what is no cursor of ours */
export function placeOf(cursor: string): Place {
  const [, createdAt, id] = CURSOR.exec(Buffer.from(cursor, "base64url").toString("latin1")) ?? [];
  if (
    createdAt === undefined ||
    id === undefined ||
    cursorOf({ createdAt: Number(createdAt), id }) !== cursor
  ) {
    throw malformed("cursor must be the next_cursor of a page before");
  }
  return { createdAt: Number(createdAt), id };
}

export function isStreamStatus(text: string): text is StreamStatus {
  return (STREAM_STATUSES as readonly string[]).includes(text);
}

export function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text);
}
