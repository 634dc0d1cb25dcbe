import { SessionError } from "wallet-session";
import type { BodyMembers } from "wallet-session/kit";
import { malformed, refusal } from "../refusals.ts";
import type { Reader } from "../sql/schema.ts";
import { openStreamIds } from "../streams/list.ts";
import { OPERATION_MAX_STREAMS } from "./limits.ts";

/** What the body of a new operation asks for: streams by id, each once, or all that can be settled. */
export type AskedStreams = readonly string[] | "all";

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
