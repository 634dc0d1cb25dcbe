import { elapsedMs } from "../clock.ts";
import { ENDED_SESSION_KEPT_MS } from "../limits.ts";
import type { PruneCounts } from "../store.ts";
import type { EngineContext } from "./context.ts";
import { type Pause, pauseFor } from "./timers.ts";

/** The log keeps an entry this long beyond the life of an access token, for nodes that were away. */
const REVOCATION_LOG_KEPT_MS = 60 * 60_000;
/** Security events that were not delivered for so long are given up. */
const SECURITY_EVENTS_KEPT_MS = 7 * 24 * 60 * 60_000;
/** Of each kind. A batch is one step of an embedded store, and refreshes wait for it. */
export const PRUNE_BATCH_ROWS = 25;
/** After a batch, pruning rests for so many times as long as that took. */
export const PRUNE_REST = 3;

/** Deletes expired data in small steps with rests in between, so that refreshes go on all the time. Tells of each step. */
export async function prune(
  { store, clock }: Pick<EngineContext, "store" | "clock">,
  accessTtlMs: number,
  onBatch: (counts: PruneCounts) => void = () => {},
  pause: Pause = pauseFor,
): Promise<void> {
  const now = clock.now();
  const limits = {
    now,
    sessionsBefore: now - ENDED_SESSION_KEPT_MS,
    revocationsBefore: now - accessTtlMs - REVOCATION_LOG_KEPT_MS,
    eventsBefore: now - SECURITY_EVENTS_KEPT_MS,
    limit: PRUNE_BATCH_ROWS,
  };
  for (;;) {
    const begun = clock.now();
    const counts = await store.prune(limits);
    onBatch(counts);
    if (Math.max(...Object.values(counts)) < PRUNE_BATCH_ROWS) return;
    await pause(PRUNE_REST * elapsedMs(begun, clock.now()));
  }
}
