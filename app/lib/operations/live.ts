import { setTimeout } from "node:timers/promises";
import type { Clock } from "wallet-session";
import type { ServerEventSource } from "wallet-session/http";
import { type ChangeSource, positionWatch } from "../live/changes.ts";
import { lastPosition } from "../sql/positions.ts";
import type { Sql } from "../sql/sql.ts";
import { WATCH_INTERVAL_MS } from "./limits.ts";
import { isFinal, operationJson } from "./operation.ts";
import { findOperation } from "./rows.ts";

/** The actor's operations, for the feed of all that changes. */
export function operationChanges({ clock }: { readonly clock: Clock }): ChangeSource {
  return async (reader, actorId, after, upTo) => {
    const row = await reader
      .selectFrom("operations")
      .selectAll()
      .where("actor_id", "=", actorId)
      .where("changed", ">", after)
      .where("changed", "<=", upTo)
      .orderBy("changed")
      .limit(1)
      .executeTakeFirst();
    if (row === undefined) return null;
    return { position: row.changed, event: "operation.state", data: operationJson(row, clock.now()) };
  };
}

/**
 * One operation: its present state first, then each later one that is there when the reader is ready for it, and the final
 * one as the last. The id is the version. A client that returns gets the present state again. A slow reader misses states in
 * between, never the newest.
 */
export function operationEvents(
  { sql, clock }: { readonly sql: Sql; readonly clock: Clock },
  id: string,
  actorId: string,
  intervalMs = WATCH_INTERVAL_MS,
): ServerEventSource {
  return async function* ({ signal }) {
    let sentVersion = 0n;
    while (!signal.aborted) {
      // Read before the row, so that no change falls between the two.
      const looked = await lastPosition(sql.db);
      const row = await findOperation(sql.db, actorId, id);
      if (row === null) return;
      if (row.version === sentVersion) {
        await positionWatch(sql).newer(looked, actorId, signal);
        continue;
      }
      sentVersion = row.version;
      yield { id: String(row.version), event: "operation.state", data: operationJson(row, clock.now()) };
      if (isFinal(row.status)) return;
      await setTimeout(intervalMs, undefined, { signal }).catch(() => {});
    }
  };
}
