import type { Clock, RandomBytes, RevocationReason, SessionId } from "wallet-session";
import type { Tx } from "../sql/schema.ts";
import type { Sql } from "../sql/sql.ts";
import { type SettleOutcome, settleStream } from "../streams/pending-settlement.ts";
import type { Sent, Settlement, SettlementSender } from "../streams/settlement.ts";
import { FAILURES_LISTED, RATE_WINDOW_MS } from "./limits.ts";
import { failuresOf } from "./operation.ts";
import { type Claim, changeOperation, NO_CLAIM, renewClaim } from "./rows.ts";
import type { OperationChanges, OperationRow, PauseReason, StepChanges } from "./tables.ts";

export interface StepContext {
  readonly sql: Pick<Sql, "db" | "write">;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly sender: SettlementSender;
  /** By the session's row as it stands now. */
  standing(id: SessionId): Promise<Standing>;
}

/** `stopped`: this worker has no more to do on it: completed, paused, cancelled, or taken over. */
export type StepOutcome = "taken" | "stopped";

/**
 * Takes the next step of an operation: the grant is looked at, the intent to settle is written, the settlement is sent, and
 * its record is written, with the ledger and the progress, in one transaction.
 *
 * It may be cut off anywhere and called again, here or by another worker: the intent is found again and sent under the same
 * id, which a sender acts on once, and what is recorded is never recorded twice.
 * @throws what the store, the database or the sender throws: nothing is decided then, and the step is to be taken again
 */
export async function takeStep(context: StepContext, claim: Claim): Promise<StepOutcome> {
  if (!(await grantHolds(context, claim))) return "stopped";
  let sent: Sent | null = null;
  for (;;) {
    const next = await context.sql.write((tx) => advance(context, tx, claim, sent));
    if (typeof next === "string") return next;
    // Rarely a second round: somebody else's settlement of this stream was under way, and had to be finished first.
    if (sent !== null && !(await grantHolds(context, claim))) return "stopped";
    sent = { id: next.id, ...(await context.sender.settle(next)) };
  }
}

/** Looks at the grant; where it has ended, pauses the operation. False: no further step. */
async function grantHolds({ sql, clock, standing }: StepContext, claim: Claim): Promise<boolean> {
  const row = await sql.db
    .selectFrom("operations")
    .select("session_id")
    .where("id", "=", claim.operationId)
    .executeTakeFirstOrThrow();
  const end = grantEnd(await standing(row.session_id));
  if (end === null) return true;
  await sql.write((tx) => pause(tx, claim, end, row.session_id, clock.now()));
  return false;
}

/** One transaction of a step: the intent, or with `sent` the record. A settlement as the result is to be sent next. */
async function advance(
  { clock, random }: StepContext,
  tx: Tx,
  claim: Claim,
  sent: Sent | null,
): Promise<StepOutcome | Settlement> {
  const now = clock.now();
  const operation = await renewClaim(tx, claim, now);
  if (operation === null) return "stopped";
  // What has been sent is recorded even when the operation was cancelled meanwhile.
  if (operation.status !== "running" && sent === null) return "stopped";
  const { number, stream_id: streamId } = await tx
    .selectFrom("operation_steps")
    .select(["number", "stream_id"])
    .where("operation_id", "=", operation.id)
    .where("number", "=", operation.done + operation.skipped + operation.failed)
    .executeTakeFirstOrThrow();
  const mayBegin = operation.status === "running";
  const request = { streamId, actorId: operation.actor_id, operationId: operation.id, now, sent, mayBegin };
  const result = await settleStream(tx, request, random);
  if (result.outcome === "send") return mayBegin ? result.settlement : "stopped";
  const after = await recordStep(tx, operation, { number, streamId }, result, now);
  return after.status === "running" ? "taken" : "stopped";
}

async function recordStep(
  tx: Tx,
  operation: OperationRow,
  { number, streamId }: { readonly number: bigint; readonly streamId: string },
  result: Exclude<SettleOutcome, { outcome: "send" }>,
  now: number,
): Promise<OperationRow> {
  const { step, progress } = stepAfter(operation, streamId, result);
  const { numUpdatedRows } = await tx
    .updateTable("operation_steps")
    .set(step)
    .where("operation_id", "=", operation.id)
    .where("number", "=", number)
    .where("status", "=", "waiting")
    .executeTakeFirst();
  if (numUpdatedRows !== 1n)
    throw new Error(`Step ${number} of operation ${operation.id} is recorded already.`);
  const through = number + 1n;
  const isLast = through === operation.total && operation.status === "running";
  return changeOperation(tx, operation.id, now, {
    ...progress,
    ...rateAfter(operation, through, now),
    ...(isLast && { status: "completed", finished_at: now, ...NO_CLAIM }),
  });
}

/** What a step and its operation are after it. Nothing to settle, or no longer possible: skipped. */
function stepAfter(
  operation: OperationRow,
  streamId: string,
  result: Exclude<SettleOutcome, { outcome: "send" }>,
): { readonly step: StepChanges; readonly progress: OperationChanges } {
  switch (result.outcome) {
    case "settled": {
      const { amount } = result;
      const settled_amount = String(BigInt(operation.settled_amount) + amount);
      return { step: { status: "done", amount }, progress: { done: operation.done + 1n, settled_amount } };
    }
    case "refused": {
      const { refused } = result;
      const failures = [...failuresOf(operation), { stream_id: streamId, reason: refused }];
      const progress = {
        failed: operation.failed + 1n,
        failures: JSON.stringify(failures.slice(0, FAILURES_LISTED)),
      };
      return { step: { status: "failed", refused }, progress };
    }
    case "nothing":
    case "not_possible":
    case "not_found":
      return { step: { status: "skipped" }, progress: { skipped: operation.skipped + 1n } };
  }
}

/** The rate, where a window of it ends with this step. */
function rateAfter(operation: OperationRow, through: bigint, now: number): OperationChanges {
  const window = now - Number(operation.rate_since ?? now);
  if (window < RATE_WINDOW_MS) return {};
  const steps = Number(through - operation.rate_steps);
  return { rate_since: now, rate_steps: through, rate_milli: Math.round((steps * 1_000_000) / window) };
}

async function pause(tx: Tx, claim: Claim, end: GrantEnd, sessionId: string, now: number): Promise<void> {
  const operation = await renewClaim(tx, claim, now);
  // Resumed under another session, or cancelled, since the grant was looked at: the end of the old one says nothing.
  if (operation?.status !== "running" || operation.session_id !== sessionId) return;
  await changeOperation(tx, operation.id, now, {
    status: "paused",
    pause_reason: end.reason,
    paused_at: now,
    grant_ended_at: end.endedAt,
    ...NO_CLAIM,
  });
}

/** What has become of the session under which an operation runs: `SessionEngine.standing`. */
type Standing =
  | { readonly status: "live" | "expired" | "unknown" }
  | { readonly status: "revoked"; readonly reason: RevocationReason; readonly revokedAt: number };

/** Why an operation must pause, and since when its grant is void. */
interface GrantEnd {
  readonly reason: PauseReason;
  readonly endedAt: number;
}

/**
 * The sign-in that replaces a session in its browser is there just before the session ends: it took the wallet's signature,
 * and counts as newer.
 */
const REPLACED_WITHIN_MS = 10_000;

/**
 * Null while the grant holds. A session that ran out, or was pruned after it had, takes nothing back: only who ends a session
 * says that no more is to happen in its name.
 */
function grantEnd(standing: Standing): GrantEnd | null {
  if (standing.status !== "revoked") return null;
  const { reason, revokedAt } = standing;
  return {
    reason: reason === "reuse" ? "reuse_detected" : "session_revoked",
    endedAt: reason === "replaced" ? revokedAt - REPLACED_WITHIN_MS : revokedAt,
  };
}
