import { sql } from "kysely";
import { nextPosition } from "../sql/positions.ts";
import type { Reader, Tx } from "../sql/schema.ts";
import { OPERATIONS_LISTED } from "./limits.ts";
import type { OperationChanges, OperationRow } from "./tables.ts";

/** The actor's operation of that id; null where there is none, or it is someone else's. */
export async function findOperation(
  reader: Reader,
  actorId: string,
  id: string,
): Promise<OperationRow | null> {
  return (await operationOf(reader, actorId, id).executeTakeFirst()) ?? null;
}

/** The same, locked until the transaction ends: for those who change it. */
export async function findOperationForUpdate(
  tx: Tx,
  actorId: string,
  id: string,
): Promise<OperationRow | null> {
  return (await operationOf(tx, actorId, id).forNoKeyUpdate().executeTakeFirst()) ?? null;
}

function operationOf(reader: Reader, actorId: string, id: string) {
  return reader.selectFrom("operations").selectAll().where("id", "=", id).where("actor_id", "=", actorId);
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
