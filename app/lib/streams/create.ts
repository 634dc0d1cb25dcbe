import type { Answer } from "../http/answer.ts";
import { type IdempotentRequest, keepAnswer, keptAnswer } from "../http/idempotency.ts";
import { refusal } from "../refusals.ts";
import type { Tx } from "../sql/schema.ts";
import type { StreamsContext } from "./context.ts";
import { newId } from "./ids.ts";
import { STREAMS_OPEN_PER_SENDER } from "./limits.ts";
import type { Stroops } from "./money.ts";
import { createStream } from "./stream.ts";
import { insertStream } from "./stream-store.ts";
import { transition } from "./transitions.ts";
import { streamAnswer } from "./view.ts";

/** What a person asks for; already checked. */
export interface StreamWish {
  readonly recipient: string;
  readonly deposit: Stroops;
  readonly durationSeconds: number;
  readonly title: string | null;
  /** Whether it starts at once. */
  readonly start: boolean;
}

/**
 * Makes a stream with its deposit in escrow. With an idempotency key: once, also for requests at the same moment.
 * @throws stream_state while as many of the actor's as are allowed have not ended; idempotency_mismatch, store_unavailable
 */
export function makeStream(
  { sql, clock, random }: StreamsContext,
  actorId: string,
  { start, ...wish }: StreamWish,
  idempotent: IdempotentRequest | null,
): Promise<Answer> {
  const now = clock.now();
  const draft = createStream({ ...wish, id: newId(random), sender: actorId }, now);
  const started = start ? transition(draft.stream, "sender", "start", now) : null;
  const { stream, events } =
    started?.outcome === "changed"
      ? { stream: started.stream, events: [...draft.events, ...started.events] }
      : draft;
  return sql.write(async (tx) => {
    const kept = await keptAnswer(tx, idempotent);
    if (kept !== null) return kept;
    const cause = { at: now, actorId, operationId: null, settlementId: null };
    const record = await insertStream(tx, stream, events, cause);
    await requireRoom(tx, actorId);
    const headers = { Location: `/api/streams/${stream.id}` };
    const answer = streamAnswer(record, actorId, now, { status: 201, headers });
    await keepAnswer(tx, idempotent, answer, now);
    return answer;
  });
}

/**
 * Takes back a stream that is one too many, with its transaction. Counted after the stream has been written with its change
 * positions, whose row is locked by now: no two get in by the same place.
 */
async function requireRoom(tx: Tx, sender: string): Promise<void> {
  const { open } = await tx
    .selectFrom("streams")
    .select(({ fn }) => fn.countAll<bigint>().as("open"))
    .where("sender", "=", sender)
    .where("status", "in", ["draft", "active", "paused"])
    .executeTakeFirstOrThrow();
  if (open <= STREAMS_OPEN_PER_SENDER) return;
  throw refusal(
    "stream_state",
    `${STREAMS_OPEN_PER_SENDER} streams of yours have not ended: cancel one, or let one run out.`,
  );
}
