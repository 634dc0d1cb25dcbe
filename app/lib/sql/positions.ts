import { sql } from "kysely";
import type { Reader, Tx } from "./schema.ts";

/**
 * The next change position, for a row that this transaction changes; with a count, the last of as many. Positions rise
 * strictly, over all tables, in the order in which the transactions commit: who has seen position n finds all later changes
 * behind it. From here on until the commit everybody else waits for theirs, so that this comes late in a transaction.
 */
export async function nextPosition(tx: Tx, count = 1): Promise<bigint> {
  // The row stays locked until the commit, on any database: the order of positions is the order of commits.
  const { last } = await tx
    .updateTable("positions")
    .set({ last: sql<bigint>`last + ${count}` })
    .returning("last")
    .executeTakeFirstOrThrow();
  return last;
}

/** The position of the newest change that is committed; 0 before the first. */
export async function lastPosition(reader: Reader): Promise<bigint> {
  const { last } = await reader.selectFrom("positions").select("last").executeTakeFirstOrThrow();
  return last;
}
