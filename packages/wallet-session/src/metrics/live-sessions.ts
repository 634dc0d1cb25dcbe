import type { Stopwatch } from "../clock.ts";
import type { SessionEngine } from "../engine/session-engine.ts";
import { LIVE_SESSIONS_COUNTED_MS } from "../limits.ts";

/**
 * The number of live sessions as it was last counted; null before that. To ask for it begins to count anew where that was
 * half a minute ago, and waits for nothing: a store may have to look at each session.
 */
export function liveSessions(
  engine: Pick<SessionEngine, "countSessions">,
  stopwatch: Stopwatch,
): () => number | null {
  let counted: number | null = null;
  let countedAt = Number.NEGATIVE_INFINITY;
  let counting = false;

  async function count(): Promise<void> {
    counting = true;
    // A fault was reported where it was met. An old number is no number.
    counted = await engine.countSessions().catch(() => null);
    countedAt = stopwatch();
    counting = false;
  }

  return () => {
    if (!counting && stopwatch() - countedAt >= LIVE_SESSIONS_COUNTED_MS) void count();
    return counted;
  };
}
