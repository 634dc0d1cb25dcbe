import type { SessionId } from "wallet-session";
import { type RandomBytes, SessionError } from "wallet-session";
import type { BodyMembers } from "wallet-session/kit";
import { malformed, refusal } from "../refusals.ts";
import { nextPosition } from "../sql/positions.ts";
import type { Reader, Tx } from "../sql/schema.ts";
import { newId } from "../streams/ids.ts";
import { openStreamIds } from "../streams/list.ts";
import {
  ADMISSION_WINDOW_MS,
  OPERATION_MAX_STREAMS,
  OPERATIONS_ACCEPTED_PER_WINDOW,
  OPERATIONS_OPEN_PER_ACTOR,
} from "./limits.ts";
import { isFinal } from "./operation.ts";
import { changeOperation, findOperation } from "./rows.ts";
import type { OperationRow } from "./tables.ts";

/** Rows of one INSERT: each value is a parameter, and 32,766 are the most that SQLite takes. */
const STEPS_AT_ONCE = 1_000;

interface NewOperation {
  readonly actorId: string;
  /** The grant under which it runs. */
  readonly sessionId: SessionId;
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
      total: streamIds.length,
      done: 0,
      skipped: 0,
      failed: 0,
      failures: "[]",
      settled_amount: "0",
      created_at: now,
      updated_at: now,
      rate_steps: 0,
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
interface Grant {
  readonly actorId: string;
  readonly sessionId: SessionId;
  readonly sessionCreatedAt: number;
}

/**
 * Lets a paused operation go on under a new grant: a session whose wallet has signed since the old grant ended. One that was
 * there before proves nothing: it may belong to the very party that the revocation was aimed at.
 * @throws not_found, operation_state, signature_required
 */
export async function resumeOperation(tx: Tx, grant: Grant, id: string, now: number): Promise<OperationRow> {
  const operation = await findOperation(tx, grant.actorId, id, "for update");
  if (operation === null) throw noSuchOperation();
  if (operation.status !== "paused")
    throw refusal("operation_state", "Only an operation that is paused can be resumed.");
  const endedAt = Number(operation.grant_ended_at ?? operation.paused_at);
  if (grant.sessionCreatedAt <= endedAt) {
    throw refusal(
      "signature_required",
      "The session that allowed this operation was ended. Sign in again to let it go on.",
    );
  }
  return changeOperation(tx, id, now, {
    status: "queued",
    session_id: grant.sessionId,
    pause_reason: null,
    paused_at: null,
    grant_ended_at: null,
    claim: null,
    claimed_until: 0,
  });
}

/**
 * Stops an operation before its next step; again changes nothing. A step that is being sent at this moment is still recorded,
 * and counted.
 * @throws not_found, operation_state where it is completed
 */
export async function cancelOperation(
  tx: Tx,
  actorId: string,
  id: string,
  now: number,
): Promise<OperationRow> {
  const operation = await findOperation(tx, actorId, id, "for update");
  if (operation === null) throw noSuchOperation();
  if (operation.status === "cancelled") return operation;
  if (isFinal(operation.status)) throw refusal("operation_state", "The operation is completed already.");
  return changeOperation(tx, id, now, {
    status: "cancelled",
    finished_at: now,
    pause_reason: null,
    paused_at: null,
  });
}

export function noSuchOperation(): SessionError {
  return new SessionError("not_found", "There is no such operation.");
}

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

/** What the body of a new operation asks for: streams by id, each once, or all that can be settled. */
type AskedStreams = readonly string[] | "all";

const STREAM_ID = /^[\w-]{22}$/;

/** @throws invalid_request */
export function readAskedStreams(body: BodyMembers): AskedStreams {
  if (body.get("type") !== "settle_streams") throw malformed("type must be settle_streams");
  const ids = body.get("stream_ids");
  if (ids === "all") return ids;
  if (!Array.isArray(ids) || ids.length === 0 || ids.length > OPERATION_MAX_STREAMS) {
    throw malformed(`stream_ids must be "all", or from 1 to ${OPERATION_MAX_STREAMS} ids`);
  }
  if (!ids.every(isStreamId)) throw malformed("stream_ids holds what is no id of a stream");
  if (new Set(ids).size < ids.length) throw malformed("stream_ids names a stream twice");
  return ids;
}

function isStreamId(id: unknown): id is string {
  return typeof id === "string" && STREAM_ID.test(id);
}

/**
 * The ids of the streams that are to be settled, in order.
 * @throws not_found for a stream that the actor does not see; operation_state where none can be settled, or too many
 */
export async function resolveStreams(
  reader: Reader,
  actorId: string,
  asked: AskedStreams,
): Promise<readonly string[]> {
  if (asked !== "all") {
    await requireVisible(reader, actorId, asked);
    return asked;
  }
  const ids = await openStreamIds(reader, actorId, OPERATION_MAX_STREAMS + 1);
  if (ids.length === 0) throw refusal("operation_state", "There is no stream that could be settled.");
  if (ids.length > OPERATION_MAX_STREAMS) {
    throw refusal(
      "operation_state",
      `There are more than ${OPERATION_MAX_STREAMS} streams: name those that are to be settled.`,
    );
  }
  return ids;
}

const IDS_AT_ONCE = 1_000;

async function requireVisible(reader: Reader, actorId: string, ids: readonly string[]): Promise<void> {
  for (let from = 0; from < ids.length; from += IDS_AT_ONCE) {
    const part = ids.slice(from, from + IDS_AT_ONCE);
    const { visible } = await reader
      .selectFrom("streams")
      .select(({ fn }) => fn.countAll<bigint>().as("visible"))
      .where("id", "in", part)
      .where(({ eb, or }) => or([eb("sender", "=", actorId), eb("recipient", "=", actorId)]))
      .executeTakeFirstOrThrow();
    if (Number(visible) < part.length) throw new SessionError("not_found", "There is no such stream.");
  }
}
