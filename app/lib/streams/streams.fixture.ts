import { randomBytes } from "node:crypto";
import { onTestFinished } from "vitest";
import { SessionError } from "wallet-session";
import { ProblemError } from "wallet-session/kit";
import { createManualClock, createWalletKeypair } from "wallet-session/testing";
import type { Answer } from "../http/answer.ts";
import { positionWatch } from "../live/changes.ts";
import { type DatabaseKind, emptyPlaces, type Place } from "../sql/databases.fixture.ts";
import { openSql } from "../sql/sql.ts";
import { type CommandRequest, commandStream } from "./command.ts";
import { makeStream, type StreamWish } from "./create.ts";
import { totalsOf } from "./ledger.fixture.ts";
import { balancesOf, remainingOf } from "./ledger.ts";
import { ledgerOnly, type SettlementSender } from "./settlement.ts";
import { loadStream } from "./stream-store.ts";
import type { StreamCommand } from "./transitions.ts";

export const SENDER = createWalletKeypair(new Uint8Array(32).fill(1)).account;
export const RECIPIENT = createWalletKeypair(new Uint8Array(32).fill(2)).account;
export const STRANGER = createWalletKeypair(new Uint8Array(32).fill(3)).account;

/** 100 units over 100 seconds. */
export const WISH = { recipient: RECIPIENT, deposit: 1_000_000_000n, durationSeconds: 100, title: null };

/** For the tests of all that stands on the streams' database, which run on each kind. */
export function streamsOn(kind: DatabaseKind) {
  const newPlace = emptyPlaces(kind);
  return {
    newPlace,
    openStreams: (sender: SettlementSender = ledgerOnly, place = newPlace()) => openStreamsAt(place, sender),
  };
}

/** The streams over a real database, with a clock that is moved by hand. */
export async function openStreamsAt({ url, schema }: Place, sender: SettlementSender = ledgerOnly) {
  const raise = (fault: unknown) => {
    throw fault;
  };
  const sql = await openSql(url, raise, { schema });
  onTestFinished(() => sql.close());
  positionWatch(sql, { pollMs: 10, gapMs: 1 });
  const clock = createManualClock();
  const context = { sql, sender, clock, random: randomBytes };

  /** From the sender to the recipient, and already started. */
  async function make(wish: Partial<StreamWish> = {}, actorId = SENDER): Promise<string> {
    const whole = { ...WISH, start: true, ...wish };
    return JSON.parse((await makeStream(context, actorId, whole, null)).body).id;
  }

  function command(streamId: string, command: StreamCommand, more: Partial<CommandRequest> = {}) {
    const actorId = command === "withdraw" ? RECIPIENT : SENDER;
    return commandStream(context, { streamId, actorId, command, matches: null, idempotent: null, ...more });
  }

  /** Status and sums of the stream; throws unless its ledger says the same and balances. */
  async function audit(streamId: string) {
    const stream = (await loadStream(sql.db, streamId))?.stream;
    const entries = await sql.db
      .selectFrom("stream_ledger")
      .select(["kind", "amount", "position"])
      .where("stream_id", "=", streamId)
      .orderBy("position")
      .execute();
    if (stream === undefined) throw new Error("no such stream");
    const { deposited, settled, withdrawn, refunded } = stream;
    const carried = { deposited, settled, withdrawn, refunded };
    const same = Object.entries(totalsOf(entries)).every(
      ([name, sum]) => carried[name as keyof typeof carried] === sum,
    );
    const { escrow, claim } = balancesOf(entries);
    if (
      !same ||
      escrow !== remainingOf(stream) ||
      claim !== settled - withdrawn ||
      escrow < 0n ||
      claim < 0n
    ) {
      throw new Error(`The ledger says otherwise: ${entries.map(({ kind, amount }) => `${kind} ${amount}`)}`);
    }
    return { status: stream.status, ...carried, entries: entries.map(({ kind }) => kind) };
  }

  return { context, sql, clock, make, command, audit };
}

/** The code of the refusal that a call ends in; "no error" where it does not. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "no error",
    (error) => (error instanceof SessionError || error instanceof ProblemError ? error.code : String(error)),
  );
}

export function bodyOf({ body }: Answer): Record<string, unknown> {
  return JSON.parse(body);
}

/** Refuses for good what is to be paid from certain streams, and carries out all else. */
export function refusingSender() {
  const refusedStreams = new Set<string>();
  const calls: string[] = [];
  let gate: Promise<void> = Promise.resolve();
  const sender: SettlementSender = {
    async settle({ id, streamId }) {
      calls.push(id);
      await gate;
      return refusedStreams.has(streamId) ? { refused: "recipient_missing" } : { reference: `tx of ${id}` };
    },
  };
  return {
    sender,
    refusedStreams,
    calls,
    /** From now on answers wait, until the function returned is called. */
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return () => resolve();
    },
  };
}

/** Lets the test decide when, and how, each settlement ends. */
export function heldSender() {
  const moved = new Map<string, bigint>();
  const calls: string[] = [];
  let gate: Promise<void> = Promise.resolve();
  const sender: SettlementSender = {
    async settle({ id, amount }) {
      calls.push(id);
      moved.set(id, amount);
      await gate;
      return { reference: `tx of ${id}` };
    },
  };
  return {
    sender,
    /** What has moved by id: each once, however often it was sent. */
    moved,
    calls,
    /** From now on answers are lost, until the function returned is called. */
    loseAnswers() {
      const lost = Promise.reject(new Error("no answer"));
      lost.catch(() => {});
      gate = lost;
      return () => {
        gate = Promise.resolve();
      };
    },
    /** From now on answers wait, until the function returned is called. */
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return () => resolve();
    },
  };
}
