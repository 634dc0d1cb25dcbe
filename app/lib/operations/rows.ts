import { sql } from "kysely";
import { nextPosition } from "../sql/positions.ts";
import type { Lock, Reader, Tx } from "../sql/schema.ts";
import { CLAIM_MAX_AHEAD_MS, OPERATIONS_LISTED } from "./limits.ts";
import type { OperationChanges, OperationRow } from "./tables.ts";

/** The actor's operation of that id; null where there is none, or it is someone else's. */
export async function findOperation(reader: Reader, actorId: string, id: string, lock?: Lock) {
  const row = await reader
    .selectFrom("operations")
    .selectAll()
    .where("id", "=", id)
    .where("actor_id", "=", actorId)
    .$if(lock !== undefined, (query) => query.forNoKeyUpdate())
    .executeTakeFirst();
  return row ?? null;
}

/** The actor's newest operations, newest first, at most 50. */
export function listOperations(reader: Reader, actorId: string): Promise<OperationRow[]> {
  return reader
    .selectFrom("operations")
    .selectAll()
    .where("actor_id", "=", actorId)
    .orderBy("created_at", "desc")
    .orderBy("changed", "desc")
    .limit(OPERATIONS_LISTED)
    .execute();
}

/** Writes a change that watchers are to hear of: with a version and a position of its own. */
export async function changeOperation(
  tx: Tx,
  id: string,
  now: number,
  changes: OperationChanges,
): Promise<OperationRow> {
  return tx
    .updateTable("operations")
    .set({ ...changes, updated_at: now, changed: await nextPosition(tx), version: sql<bigint>`version + 1` })
    .where("id", "=", id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** The right to run an operation, until it lapses. The token is new for each claim. */
export interface Claim {
  readonly operationId: string;
  readonly token: string;
  /** Milliseconds from each renewal on. */
  readonly lastsMs: number;
}

/**
 * The id of the operation that has waited longest for a worker; null where none waits. A claim that seems to last much
 * longer than any does was made before the clock was set back, and counts as lapsed.
 */
export async function findUnclaimed(reader: Reader, now: number): Promise<string | null> {
  return (await unclaimed(reader, now).executeTakeFirst())?.id ?? null;
}

function unclaimed(reader: Reader, now: number) {
  return reader
    .selectFrom("operations")
    .select(["id", "done", "skipped", "failed", "started_at"])
    .where("status", "in", ["queued", "running"])
    .where(({ eb, or }) =>
      or([
        eb("claimed_until", "<=", BigInt(now)),
        eb("claimed_until", ">", BigInt(now + CLAIM_MAX_AHEAD_MS)),
      ]),
    )
    .orderBy("created_at")
    .limit(1);
}

/**
 * Claims the operation that has waited longest; null where none waits any more. One that another transaction has locked is
 * passed over: somebody is claiming it, or its worker is alive after all.
 */
export async function claimOperation(
  tx: Tx,
  token: string,
  lastsMs: number,
  now: number,
): Promise<Claim | null> {
  const row = await unclaimed(tx, now).forNoKeyUpdate().skipLocked().executeTakeFirst();
  if (row === undefined) return null;
  const { id, done, skipped, failed, started_at } = row;
  await changeOperation(tx, id, now, {
    status: "running",
    claim: token,
    claimed_until: now + lastsMs,
    started_at: started_at ?? now,
    rate_since: now,
    rate_steps: done + skipped + failed,
    rate_milli: null,
  });
  return { operationId: id, token, lastsMs };
}

/**
 * Renews a claim and gives the operation as it stands, locked until the transaction ends; null where another has taken it
 * over. In each transaction of a worker this comes first: one that was taken for dead can write nothing more.
 */
export async function renewClaim(tx: Tx, claim: Claim, now: number): Promise<OperationRow | null> {
  const row = await tx
    .updateTable("operations")
    .set({ claimed_until: now + claim.lastsMs })
    .where("id", "=", claim.operationId)
    .where("claim", "=", claim.token)
    .returningAll()
    .executeTakeFirst();
  return row ?? null;
}

/** Gives a claim back, so that another worker goes on at once. */
export async function releaseClaim(tx: Tx, claim: Claim): Promise<void> {
  await tx
    .updateTable("operations")
    .set(NO_CLAIM)
    .where("id", "=", claim.operationId)
    .where("claim", "=", claim.token)
    .execute();
}

export const NO_CLAIM = { claim: null, claimed_until: 0 } as const;
