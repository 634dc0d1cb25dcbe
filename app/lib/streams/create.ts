import { SessionError } from "wallet-session";
import { type BodyMembers, textMember } from "wallet-session/kit";
import { isAddress } from "wallet-session/wallets/stellar-address";
import type { Answer } from "../http/answer.ts";
import { type IdempotentRequest, keepAnswer, keptAnswer } from "../http/idempotency.ts";
import { malformed, refusal } from "../refusals.ts";
import type { Tx } from "../sql/schema.ts";
import type { StreamsContext } from "./context.ts";
import { newId } from "./ids.ts";
import {
  DAY_MS,
  DURATION_MAX_SECONDS,
  DURATION_MIN_SECONDS,
  STREAMS_MADE_PER_DAY,
  STREAMS_OPEN_PER_SENDER,
  TITLE_MAX_CHARS,
} from "./limits.ts";
import { parseAmount, type Stroops } from "./money.ts";
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
 * @throws rate_limited, stream_state while as many of the actor's as are allowed have not ended; idempotency_mismatch,
 *   store_unavailable
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
    await requireRoom(tx, actorId, now);
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
async function requireRoom(tx: Tx, sender: string, now: number): Promise<void> {
  const { made } = await tx
    .selectFrom("streams")
    .select(({ fn }) => fn.countAll<bigint>().as("made"))
    .where("sender", "=", sender)
    .where("created_at", ">", BigInt(now - DAY_MS))
    .executeTakeFirstOrThrow();
  if (made > STREAMS_MADE_PER_DAY) {
    const why = `An account makes ${STREAMS_MADE_PER_DAY} streams a day at most.`;
    throw new SessionError("rate_limited", why, { retryAfterSeconds: 3_600 });
  }
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

/** What the body of a new stream asks for. @throws invalid_request */
export function readWish(body: BodyMembers, actorId: string): StreamWish {
  return {
    recipient: recipientOf(body, actorId),
    deposit: depositOf(body),
    durationSeconds: durationOf(body),
    title: titleOf(body),
    start: startOf(body),
  };
}

function recipientOf(body: BodyMembers, actorId: string): string {
  const recipient = textMember(body, "recipient");
  if (recipient === null || !isAddress(recipient))
    throw malformed("recipient must be a Stellar address (G… or M…)");
  if (recipient === actorId) throw malformed("recipient must be somebody else");
  return recipient;
}

function depositOf(body: BodyMembers): bigint {
  const deposit = parseAmount(textMember(body, "deposit") ?? "");
  if (deposit === null) {
    throw malformed(
      'deposit must be a decimal text above 0 with at most 7 digits after the point, as "12.5"',
    );
  }
  return deposit;
}

function durationOf(body: BodyMembers): number {
  const seconds = body.get("duration_seconds");
  const fits =
    typeof seconds === "number" &&
    Number.isInteger(seconds) &&
    seconds >= DURATION_MIN_SECONDS &&
    seconds <= DURATION_MAX_SECONDS;
  if (fits) return seconds;
  throw malformed(
    `duration_seconds must be a whole number from ${DURATION_MIN_SECONDS} to ${DURATION_MAX_SECONDS}`,
  );
}

/**
 * One side reads what the other has written: no line ends, and nothing that is not seen, such as direction marks and tags. The
 * joiners and selectors that scripts and emoji are written with may stay.
 */
const UNSEEN =
  /[\p{Cc}\p{Cs}\p{Co}\p{Zl}\p{Zp}\ufff9-\ufffb]|(?!\u200c|\u200d|\ufe0e|\ufe0f)\p{Default_Ignorable_Code_Point}/u;
/** The two are symbols without a form. */
const SEEN = /(?![\u2800\u{1d159}])[\p{L}\p{N}\p{P}\p{S}]/u;

function titleOf(body: BodyMembers): string | null {
  if (body.get("title") === null) return null;
  const title = textMember(body, "title")?.trim() || null;
  if (title === null) return null;
  if ([...title].length > TITLE_MAX_CHARS)
    throw malformed(`title may have ${TITLE_MAX_CHARS} characters at most`);
  if (UNSEEN.test(title) || !SEEN.test(title)) {
    throw malformed("title must be one line of text, all of it to be seen");
  }
  return title;
}

function startOf(body: BodyMembers): boolean {
  const start = body.get("start") ?? false;
  if (typeof start !== "boolean") throw malformed("start must be true or false");
  return start;
}
