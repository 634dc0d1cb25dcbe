import type { ServerEventSource } from "wallet-session/http";
import { lastPosition } from "../sql/positions.ts";
import type { Reader } from "../sql/schema.ts";
import type { Sql } from "../sql/sql.ts";
import { positionWatch } from "./position-watch.ts";

export interface Change {
  readonly position: bigint;
  readonly event: string;
  /** What has changed, as it is now. */
  readonly data: unknown;
}

/** Of what an actor may see, the one that has not changed since, whose change is the first in (`after`, `upTo`]. */
export type ChangeSource = (
  reader: Reader,
  actorId: string,
  after: bigint,
  upTo: bigint,
) => Promise<Change | null>;

/**
 * All changes of what an actor may see, in their order, from those that follow `Last-Event-ID`, or else those from now on:
 * from when this resolves, so that whatever is read once the answer has begun is no older than where the feed begins. It
 * says first where that is. It looks when the reader has room, and then at the newest state: a slow reader misses states
 * in between, never the last.
 */
export async function changeFeed(
  sql: Sql,
  actorId: string,
  sources: readonly ChangeSource[],
): Promise<ServerEventSource> {
  const last = await lastPosition(sql.db);
  return async function* ({ lastEventId, signal }) {
    const resumed = positionOf(lastEventId);
    // A position beyond the last is of another database.
    let position = resumed !== null && resumed <= last ? resumed : last;
    yield { id: String(position) };
    for (;;) {
      // Read before the rows: whatever changes while these are read lies beyond it, and comes with the next turn.
      const upTo = await positionWatch(sql).newer(position, actorId, signal);
      if (upTo === null) return;
      const change = await firstChange(sql, actorId, sources, position, upTo);
      position = change?.position ?? upTo;
      if (change === null) continue;
      yield { id: String(change.position), event: change.event, data: change.data };
    }
  };
}

async function firstChange(
  { db }: Sql,
  actorId: string,
  sources: readonly ChangeSource[],
  after: bigint,
  upTo: bigint,
): Promise<Change | null> {
  const changes = await Promise.all(sources.map((source) => source(db, actorId, after, upTo)));
  return changes.reduce((first, change) => {
    if (first === null || change === null) return first ?? change;
    return change.position < first.position ? change : first;
  }, null);
}

/** The position that a client says it has seen; null for none, and for what is none of ours. */
export function positionOf(lastEventId: string | null): bigint | null {
  return lastEventId !== null && /^\d{1,18}$/.test(lastEventId) ? BigInt(lastEventId) : null;
}
