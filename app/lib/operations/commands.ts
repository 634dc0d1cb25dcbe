import type { RandomBytes } from "wallet-session";
import { nextPosition } from "../sql/positions.ts";
import type { Tx } from "../sql/schema.ts";
import { newId } from "../streams/ids.ts";
import { isFinal } from "./operation.ts";
import { changeOperation, findOperationForUpdate } from "./rows.ts";
import type { OperationRow } from "./tables.ts";

/** Rows of one INSERT: each value is a parameter, and 32,766 are the most that SQLite takes. */
const STEPS_AT_ONCE = 1_000;

export interface NewOperation {
  readonly actorId: string;
  /** The grant under which it runs. */
  readonly sessionId: string;
  /** Each once, in the order in which they are to be settled. */
  readonly streamIds: readonly string[];
}

/** Accepts an operation: with its steps, in this one transaction. What may be settled is the caller's to check. */
export async function createOperation(
  tx: Tx,
  { actorId, sessionId, streamIds }: NewOperation,
  now: number,
  random: RandomBytes,
): Promise<OperationRow> {
  const { id } = await tx
    .insertInto("operations")
    .values({
      id: newId(random),
      actor_id: actorId,
      session_id: sessionId,
      type: "settle_streams",
      status: "queued",
      pause_reason: null,
      total: streamIds.length,
      done: 0,
      skipped: 0,
      failed: 0,
      failures: "[]",
      settled_amount: "0",
      created_at: now,
      updated_at: now,
      started_at: null,
      finished_at: null,
      paused_at: null,
      grant_ended_at: null,
      rate_since: null,
      rate_steps: 0,
      rate_milli: null,
      claim: null,
      claimed_until: 0,
      version: 1,
      changed: 0,
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  const steps = streamIds.map((streamId, number) => ({
    operation_id: id,
    number,
    stream_id: streamId,
    status: "waiting" as const,
    amount: null,
    refused: null,
  }));
  for (let from = 0; from < steps.length; from += STEPS_AT_ONCE) {
    await tx
      .insertInto("operation_steps")
      .values(steps.slice(from, from + STEPS_AT_ONCE))
      .execute();
  }
  // The position last: until the commit all others wait for theirs.
  return tx
    .updateTable("operations")
    .set({ changed: await nextPosition(tx) })
    .where("id", "=", id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Who resumes, and when that session's wallet signed. */
export interface Grant {
  readonly actorId: string;
  readonly sessionId: string;
  readonly sessionCreatedAt: number;
}

export type ResumeResult =
  | { readonly outcome: "resumed"; readonly operation: OperationRow }
  | { readonly outcome: "not_found" | "not_paused" | "signature_required" };

/**
 * Lets a paused operation go on under a new grant: a session whose wallet has signed since the old grant ended. One that was
 * there before proves nothing: it may belong to the very party that the revocation was aimed at.
 */
export async function resumeOperation(tx: Tx, grant: Grant, id: string, now: number): Promise<ResumeResult> {
  const operation = await findOperationForUpdate(tx, grant.actorId, id);
  if (operation === null) return { outcome: "not_found" };
  if (operation.status !== "paused") return { outcome: "not_paused" };
  const endedAt = Number(operation.grant_ended_at ?? operation.paused_at);
  if (grant.sessionCreatedAt <= endedAt) return { outcome: "signature_required" };
  const resumed = await changeOperation(tx, id, now, {
    status: "queued",
    session_id: grant.sessionId,
    pause_reason: null,
    paused_at: null,
    grant_ended_at: null,
    claim: null,
    claimed_until: 0,
  });
  return { outcome: "resumed", operation: resumed };
}

export type CancelResult =
  | { readonly outcome: "cancelled"; readonly operation: OperationRow }
  | { readonly outcome: "not_found" | "completed" };

/**
 * Stops an operation before its next step; again changes nothing. A step that is being sent at this moment is still recorded,
 * and counted.
 */
export async function cancelOperation(
  tx: Tx,
  actorId: string,
  id: string,
  now: number,
): Promise<CancelResult> {
  const operation = await findOperationForUpdate(tx, actorId, id);
  if (operation === null) return { outcome: "not_found" };
  if (operation.status === "cancelled") return { outcome: "cancelled", operation };
  if (isFinal(operation.status)) return { outcome: "completed" };
  const cancelled = await changeOperation(tx, id, now, {
    status: "cancelled",
    finished_at: now,
    pause_reason: null,
    paused_at: null,
  });
  return { outcome: "cancelled", operation: cancelled };
}
