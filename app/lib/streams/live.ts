import type { ServerEventSource } from "wallet-session/http";
import { type ChangeSource, positionOf, positionWatch } from "../live/changes.ts";
import { lastPosition } from "../sql/positions.ts";
import { runsOutAt } from "./accrual.ts";
import type { StreamsContext } from "./context.ts";
import { ACCRUAL_EVERY_MS } from "./limits.ts";
import { ROLES } from "./stream.ts";
import { loadStream, recordOf } from "./stream-store.ts";
import { accrualView, streamView } from "./view.ts";

/** The actor's streams, for the feed of all that changes: those that they send, and those that they receive. */
export function streamChanges({ clock }: Pick<StreamsContext, "clock">): readonly ChangeSource[] {
  return ROLES.map((party) => async (reader, actorId, after, upTo) => {
    const row = await reader
      .selectFrom("streams")
      .selectAll()
      .where(party, "=", actorId)
      // A draft is its sender's own.
      .$if(party === "recipient", (query) => query.where("started_at", "is not", null))
      .where("changed", ">", after)
      .where("changed", "<=", upTo)
      .orderBy("changed")
      .limit(1)
      .executeTakeFirst();
    if (row === undefined) return null;
    const data = streamView(recordOf(row), actorId, clock.now());
    return { position: row.changed, event: "stream.state", data };
  });
}

/**
 * One stream: its state, unless `Last-Event-ID` says that the client has it, then each new state, and in between what it
 * earns. The caller has checked that the actor may see it.
 */
export function streamEvents(
  { sql, clock }: StreamsContext,
  streamId: string,
  actorId: string,
  accrualEveryMs = ACCRUAL_EVERY_MS,
): ServerEventSource {
  return async function* ({ lastEventId, signal }) {
    let seen = positionOf(lastEventId);
    let toldAt = clock.now();
    while (!signal.aborted) {
      // Read before the row, so that no change falls between the two.
      const looked = await lastPosition(sql.db);
      const record = await loadStream(sql.db, streamId);
      if (record === null) return;
      const { stream, changed } = record;
      const now = clock.now();
      const runsOut = runsOutAt(stream);
      const ticks = runsOut !== null && toldAt < runsOut;
      if (changed !== seen) {
        seen = changed;
        toldAt = now;
        yield { id: String(changed), event: "stream.state", data: streamView(record, actorId, now) };
      } else if (ticks && now - toldAt >= accrualEveryMs) {
        toldAt = now;
        yield { event: "stream.accrual", data: accrualView(stream, now) };
      } else {
        const waitMs = Math.max(0, toldAt + accrualEveryMs - now);
        await positionWatch(sql).newer(looked, actorId, signal, ticks ? waitMs : undefined);
      }
    }
  };
}
