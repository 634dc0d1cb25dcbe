import { SessionError } from "wallet-session";
import { refusal } from "../refusals.ts";
import type { Tx } from "../sql/schema.ts";
import { ADMISSION_WINDOW_MS, OPERATIONS_ACCEPTED_PER_WINDOW, OPERATIONS_OPEN_PER_ACTOR } from "./limits.ts";

/** From here on until the transaction ends nobody else can take a turn of the actor's. */
export async function takeTurn(tx: Tx, actorId: string, now: number): Promise<void> {
  await tx
    .insertInto("operation_turns")
    .values({ actor_id: actorId, taken_at: now })
    .onConflict((conflict) => conflict.column("actor_id").doUpdateSet({ taken_at: now }))
    .execute();
}

/**
 * Lets an actor begin one more operation, in the transaction that has taken the turn and writes it, so that no two get in by
 * the same place.
 * One actor can neither hold all places of a worker nor have steps written again and again.
 * @throws operation_state while as many as are allowed have not ended; rate_limited
 */
export async function requireRoom(tx: Tx, actorId: string, now: number): Promise<void> {
  const operations = tx
    .selectFrom("operations")
    .select(({ fn }) => [fn.countAll<bigint>().as("count"), fn.min("created_at").as("oldest")])
    .where("actor_id", "=", actorId);
  const open = await operations
    .where("status", "in", ["queued", "running", "paused"])
    .executeTakeFirstOrThrow();
  if (open.count >= OPERATIONS_OPEN_PER_ACTOR) {
    throw refusal(
      "operation_state",
      `${open.count} operations of yours have not ended: wait for one of them, or cancel it.`,
    );
  }
  const recent = await operations
    .where("created_at", ">", BigInt(now - ADMISSION_WINDOW_MS))
    .executeTakeFirstOrThrow();
  if (recent.count >= OPERATIONS_ACCEPTED_PER_WINDOW) {
    throw new SessionError("rate_limited", "Too many operations were begun within a minute.", {
      retryAfterSeconds: secondsUntilRoom(Number(recent.oldest), now),
    });
  }
}

/** Never longer than the window, wherever the clock was meanwhile. */
function secondsUntilRoom(oldest: number, now: number): number {
  const waitMs = Math.min(oldest + ADMISSION_WINDOW_MS - now, ADMISSION_WINDOW_MS);
  return Math.max(1, Math.ceil(waitMs / 1_000));
}
