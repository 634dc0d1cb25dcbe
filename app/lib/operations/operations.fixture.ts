import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { expect, onTestFinished } from "vitest";
import { createSessionEngine, type IssuedTokens } from "wallet-session";
import { createMemoryStore } from "wallet-session/stores/memory";
import { type DatabaseKind, emptyPlaces, type Place } from "../sql/databases.fixture.ts";
import { newId } from "../streams/ids.ts";
import type { SettlementSender } from "../streams/settlement.ts";
import { createStream } from "../streams/stream.ts";
import { insertStream } from "../streams/stream-store.ts";
import { openStreamsAt, SENDER, WISH } from "../streams/streams.fixture.ts";
import { transition } from "../streams/transitions.ts";
import { createOperation, resumeOperation } from "./commands.ts";
import { isFinal } from "./operation.ts";
import type { OperationRow } from "./tables.ts";
import { type Pace, Worker, type WorkerOptions } from "./worker.ts";

const CLIENT = { browser: null, os: null, device: null, ip: null };
const POLL_MS = 5;

/** As fast as it goes, but the event loop comes round. */
export const noPace: Pace = { turn: () => new Promise((resolve) => setImmediate(resolve)) };

/** For the tests of operations, which run on each kind of database. */
export function operationsOn(kind: DatabaseKind) {
  const newPlace = emptyPlaces(kind);
  return {
    newPlace,
    openOperations: (sender?: SettlementSender, place = newPlace()) => openOperationsAt(place, sender),
  };
}

/** Streams over a real database, real sessions, and a clock for both that is moved by hand. */
async function openOperationsAt(place: Place, sender?: SettlementSender) {
  const streams = await openStreamsAt(place, sender);
  const { sql, clock, context } = streams;
  const store = createMemoryStore();
  const engine = createSessionEngine({
    store,
    secrets: ["a secret of the operations' tests, long enough to be one"],
    issuer: "https://pay.example.com",
    accessTtlMs: 20_000,
    refreshIdleTtlMs: 60_000,
    refreshAbsoluteTtlMs: 120_000,
    clock,
    every: () => () => {},
  });
  await engine.start();

  function signIn(actorId = SENDER): Promise<IssuedTokens> {
    const challenge = { id: randomUUID(), expiresAt: clock.now() + 300_000 };
    return engine.signIn({ actorId, challenge }, { transport: "body", client: CLIENT });
  }

  /** Streams that have earned 10 units each, made in one transaction. */
  async function makeMany(count: number): Promise<string[]> {
    const ids = Array.from({ length: count }, () => newId(context.random));
    const cause = { at: clock.now(), actorId: SENDER, operationId: null, settlementId: null };
    await sql.write(async (tx) => {
      for (const id of ids) {
        const draft = createStream({ ...WISH, id, sender: SENDER }, clock.now());
        const started = transition(draft.stream, "sender", "start", clock.now());
        if (started.outcome !== "changed") throw new Error(started.outcome);
        await insertStream(tx, started.stream, [...draft.events, ...started.events], cause);
      }
    });
    clock.advance(10_000);
    return ids;
  }

  function accept(streamIds: readonly string[], { session }: IssuedTokens): Promise<OperationRow> {
    const wish = { actorId: session.actorId, sessionId: session.id, streamIds };
    return sql.write((tx) => createOperation(tx, wish, clock.now(), context.random));
  }

  function resume(id: string, { session }: IssuedTokens) {
    const grant = { actorId: session.actorId, sessionId: session.id, sessionCreatedAt: session.createdAt };
    return sql.write((tx) => resumeOperation(tx, grant, id, clock.now()));
  }

  const faults: unknown[] = [];
  function work(options: Partial<WorkerOptions> = {}) {
    const worker = new Worker({
      ...context,
      standing: (id) => engine.getSessionStatus(id),
      pace: noPace,
      onFault: (fault) => faults.push(fault),
      pollMs: 20,
      retryMs: 5,
      ...options,
    });
    onTestFinished(() => worker.stop());
    return worker;
  }

  const operation = (id: string): Promise<OperationRow> =>
    sql.db.selectFrom("operations").selectAll().where("id", "=", id).executeTakeFirstOrThrow();

  /** Resolves once the operation is as wanted. The test's own limit of time ends the wait. */
  async function until(id: string, wanted: (row: OperationRow) => boolean): Promise<OperationRow> {
    for (;;) {
      const row = await operation(id);
      if (wanted(row)) return row;
      await setTimeout(POLL_MS);
    }
  }

  /** What each stream of an operation was settled by it, in order; throws unless every ledger balances. */
  async function settledBy(id: string): Promise<{ stream: string; times: number; amount: bigint }[]> {
    const steps = await sql.db
      .selectFrom("operation_steps")
      .select("stream_id")
      .where("operation_id", "=", id)
      .orderBy("number")
      .execute();
    const all = [];
    for (const { stream_id: stream } of steps) {
      const { settled } = await streams.audit(stream);
      const lines = await sql.db
        .selectFrom("stream_history")
        .select("amount")
        .where("stream_id", "=", stream)
        .where("operation_id", "=", id)
        .where("type", "=", "settled")
        .execute();
      const amount = lines.reduce((sum, line) => sum + (line.amount ?? 0n), 0n);
      expect(amount).toBeLessThanOrEqual(settled);
      all.push({ stream, times: lines.length, amount });
    }
    return all;
  }

  const untilFinal = (id: string) => until(id, ({ status }) => isFinal(status));
  return {
    ...streams,
    engine,
    store,
    faults,
    signIn,
    makeMany,
    accept,
    resume,
    work,
    operation,
    until,
    untilFinal,
    settledBy,
  };
}
