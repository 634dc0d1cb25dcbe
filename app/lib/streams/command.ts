import { SessionError } from "wallet-session";
import type { Answer } from "../http/answer.ts";
import { type IdempotentRequest, keepAnswer, keptAnswer } from "../http/idempotency.ts";
import { refusal } from "../refusals.ts";
import type { Tx } from "../sql/schema.ts";
import type { StreamsContext } from "./context.ts";
import { COMMAND_TRIES } from "./limits.ts";
import {
  concludeSettlement,
  pendingSettlement,
  prepareSettlement,
  refusalOf,
  settlementIn,
} from "./pending-settlement.ts";
import type { Sent, Settlement, SettlementRefusal, SettlementSender } from "./settlement.ts";
import type { Stream } from "./stream.ts";
import { findStream, loadStream, type StreamRecord, updateStream } from "./stream-store.ts";
import { type Refusal, RULES, type StreamCommand, transition } from "./transitions.ts";
import { streamAnswer } from "./view.ts";

export interface CommandRequest {
  readonly streamId: string;
  readonly actorId: string;
  readonly command: StreamCommand;
  /** Which versions the command is meant for; null: whatever it is now. */
  readonly matches: ((version: number) => boolean) | null;
  readonly idempotent: IdempotentRequest | null;
}

/** What is known from the steps before, all of them committed. */
interface Progress {
  /** What the sender has acknowledged last. */
  readonly sent: Sent | null;
  /** The settlement that this command has written. */
  readonly own: string | null;
  /** The version that the stream must have still; null before the first step. */
  readonly version: number | null;
}

type Step =
  | { readonly outcome: "answered"; readonly answer: Answer }
  /** The settlement that the command needs will never be carried out. It has been taken back. */
  | { readonly outcome: "refused"; readonly refused: SettlementRefusal }
  | { readonly outcome: "send"; readonly settlement: Settlement; readonly progress: Progress };

/**
 * Carries out a command as of the moment it is called. All of it happens or none, in the transaction that keeps its answer;
 * only a settlement that it sends first stands even when the process ends before the rest. With a key it happens once.
 * @throws not_found, not_permitted, stream_state, version_conflict, idempotency_mismatch, settlement_refused, which have changed
 *   nothing;
 *   store_unavailable, settlement_unavailable: the outcome is unknown, and the same request again is safe
 */
export async function commandStream(context: StreamsContext, request: CommandRequest): Promise<Answer> {
  const now = context.clock.now();
  let progress: Progress = { sent: null, own: null, version: null };
  for (let tries = 0; tries < COMMAND_TRIES; tries += 1) {
    const step = await context.sql.write((tx) => takeStep(tx, context, request, now, progress));
    if (step.outcome === "answered") return step.answer;
    if (step.outcome === "refused") throw refusal("settlement_refused", REFUSED[step.refused]);
    progress = { ...step.progress, sent: await send(context.sender, step.settlement) };
  }
  throw new SessionError("store_unavailable", "Others change this stream at the moment. Try again.");
}

/** One transaction: the rest of the command, or as much of it as needs a settlement sent before the rest. */
async function takeStep(
  tx: Tx,
  { random }: StreamsContext,
  request: CommandRequest,
  now: number,
  { sent, own, version }: Progress,
): Promise<Step> {
  const { streamId, actorId, command, matches } = request;
  const found = await findStream(tx, streamId, actorId, "for update");
  // Only now: of two requests with one key the second has waited for the stream, and finds what the first was answered.
  const kept = await keptAnswer(tx, request.idempotent);
  if (kept !== null) return { outcome: "answered", answer: kept };
  if (found === null) throw new SessionError("not_found", "There is no such stream.");
  let { record } = found;

  const pending = await pendingSettlement(tx, record);
  // Somebody else has finished what this command wrote, and so all of it.
  if (command === "settle" && own !== null && own !== pending?.settlement.id) {
    const refused = await refusalOf(tx, own);
    return refused === null ? answered(tx, request, record, now) : { outcome: "refused", refused };
  }
  if (matches !== null && !(version === null ? matches(record.version) : version === record.version)) {
    throw refusal("version_conflict", `The stream has changed: it is at version ${record.version}.`);
  }
  if (pending !== null) {
    const { settlement } = pending;
    if (sent?.id !== settlement.id) {
      return { outcome: "send", settlement, progress: { sent, own, version: record.version } };
    }
    const isOwn = own === settlement.id;
    record = await concludeSettlement(tx, record, pending, sent, {
      command: isOwn ? command : "settle",
      now,
    });
    if (isOwn && "refused" in sent) return { outcome: "refused", refused: sent.refused };
    if (isOwn) return answered(tx, request, record, now);
  }

  const result = transition(record.stream, found.role, command, now);
  if (result.outcome === "refused")
    throw refusal(result.refusal, explain(result.refusal, command, record.stream));
  if (result.outcome === "unchanged") return answered(tx, request, record, now);
  const amount = settlementIn(result.events);
  const cause = { at: now, actorId, operationId: null };
  if (amount === null) {
    const whole = { ...cause, settlementId: null };
    return answered(tx, request, await updateStream(tx, record, result.stream, result.events, whole), now);
  }
  const settlement = await prepareSettlement(tx, record, amount, cause, random);
  return { outcome: "send", settlement, progress: { sent, own: settlement.id, version: record.version } };
}

async function answered(tx: Tx, request: CommandRequest, record: StreamRecord, now: number): Promise<Step> {
  const answer = streamAnswer(record, request.actorId, now);
  await keepAnswer(tx, request.idempotent, answer, now);
  return { outcome: "answered", answer };
}

/** @throws settlement_unavailable: the settlement stays written, and the next command sends it again */
async function send(sender: SettlementSender, settlement: Settlement): Promise<Sent> {
  try {
    return { id: settlement.id, ...(await sender.settle(settlement)) };
  } catch (cause) {
    throw refusal("settlement_unavailable", "The settlement could not be sent. Try again.", { cause });
  }
}

const REFUSED: Readonly<Record<SettlementRefusal, string>> = {
  recipient_missing: "The recipient's account is not on the network, so nothing was settled.",
  recipient_refuses: "The recipient's account does not take the payment, so nothing was settled.",
  rejected: "The network does not take the payment, so nothing was settled.",
};

const DONE_TO_IT: Readonly<Record<StreamCommand, string>> = {
  start: "started",
  pause: "paused",
  settle: "settled",
  withdraw: "withdrawn from",
  cancel: "cancelled",
};

function explain(refusal: Refusal, command: StreamCommand, { status }: Stream): string {
  const { by, from } = RULES[command];
  if (refusal === "not_permitted") return `Only the ${by.join(" or the ")} can ${command} this stream.`;
  if (!from.includes(status)) return `A stream that is ${status} cannot be ${DONE_TO_IT[command]}.`;
  return command === "withdraw" ? "There is nothing to withdraw yet." : "The stream has run out: settle it.";
}

/**
 * Finishes the settlements that single commands have written and not recorded, in a process that has ended or in one that
 * is at it right now. Those of a long operation wait for it, which first looks whether it may go on, unless it was cancelled. What cannot be sent
 * stays, for the next command on its stream, and keeps none of the others.
 * @throws AggregateError with what went wrong, after all have been tried; store_unavailable
 */
export async function finishSettlements(context: StreamsContext): Promise<void> {
  const held = await context.sql.db
    .selectFrom("streams")
    .innerJoin("stream_settlements", "stream_settlements.id", "streams.pending_settlement")
    .leftJoin("operations", "operations.id", "stream_settlements.operation_id")
    .select("streams.id")
    .where("streams.pending_settlement", "is not", null)
    .where(({ eb, or }) =>
      or([eb("stream_settlements.operation_id", "is", null), eb("operations.status", "=", "cancelled")]),
    )
    .execute();
  const faults: unknown[] = [];
  for (const { id } of held) {
    await finish(context, id).catch((fault) => faults.push(fault));
  }
  if (faults.length > 0)
    throw new AggregateError(faults, "Settlements of an earlier run could not be finished.");
}

async function finish({ sql, sender, clock }: StreamsContext, streamId: string): Promise<void> {
  const pending = await sql.write(async (tx) => {
    const record = await loadStream(tx, streamId, "for update");
    return record && pendingSettlement(tx, record);
  });
  if (pending === null) return;
  const sent = await send(sender, pending.settlement);
  await sql.write(async (tx) => {
    const record = await loadStream(tx, streamId, "for update");
    if (record?.pendingSettlement !== sent.id) return;
    await concludeSettlement(tx, record, pending, sent, { command: "settle", now: clock.now() });
  });
}
