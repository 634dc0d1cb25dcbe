import type { Reader } from "../sql/schema.ts";

/** Beyond as many changes at one time it is not looked up whom they concern. */
const LOOKED_UP_MOST = 1_000;

/** Who sees a change in (`after`, `upTo`]; `anybody` where that is not known. Whom none concerns may be among them. */
export async function concernedBy(
  reader: Reader,
  after: bigint,
  upTo: bigint,
): Promise<ReadonlySet<string> | "anybody"> {
  if (upTo - after > LOOKED_UP_MOST) return "anybody";
  if (upTo <= after) return new Set();
  const [streams, operations] = await Promise.all([
    reader
      .selectFrom("streams")
      .select(["sender", "recipient"])
      .where("changed", ">", after)
      .where("changed", "<=", upTo)
      .execute(),
    reader
      .selectFrom("operations")
      .select("actor_id")
      .where("changed", ">", after)
      .where("changed", "<=", upTo)
      .execute(),
  ]);
  return new Set([
    ...streams.flatMap(({ sender, recipient }) => [sender, recipient]),
    ...operations.map(({ actor_id }) => actor_id),
  ]);
}
