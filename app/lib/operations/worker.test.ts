import { describe, expect, test } from "vitest";
import { DATABASES } from "../sql/databases.fixture.ts";
import { finishSettlements } from "../streams/command.ts";
import { AMOUNT_MAX_STROOPS } from "../streams/limits.ts";
import { settleStream } from "../streams/pending-settlement.ts";
import { ledgerOnly, type SettlementSender } from "../streams/settlement.ts";
import { loadStream } from "../streams/stream-store.ts";
import { heldSender, RECIPIENT, refusingSender, SENDER } from "../streams/streams.fixture.ts";
import { cancelOperation } from "./commands.ts";
import { CLAIM_MS, FAILURES_LISTED } from "./limits.ts";
import { failuresOf, operationJson } from "./operation.ts";
import { operationsOn } from "./operations.fixture.ts";
import { claimOperation } from "./rows.ts";

describe.each(DATABASES)("%s", (kind) => {
  const { openOperations } = operationsOn(kind);

  const EARNED = 100_000_000n;

  test("settles each stream once, in order, and counts what it has done", async () => {
    const order: string[] = [];
    const sender: SettlementSender = {
      async settle({ streamId }) {
        order.push(streamId);
        return { reference: null };
      },
    };
    const { makeMany, accept, signIn, work, untilFinal, settledBy } = await openOperations(sender);
    const ids = await makeMany(12);
    const { id } = await accept(ids, await signIn());
    work();
    expect(await untilFinal(id)).toMatchObject({
      status: "completed",
      total: 12n,
      done: 12n,
      skipped: 0n,
      settled_amount: String(12n * EARNED),
      pause_reason: null,
      claim: null,
    });
    expect(order).toEqual(ids);
    expect(await settledBy(id)).toEqual(ids.map((stream) => ({ stream, times: 1, amount: EARNED })));
  });

  test("what has nothing to settle, or cannot be settled any more, is skipped", async () => {
    const { make, command, clock, accept, signIn, work, untilFinal } = await openOperations();
    const draft = await make({ start: false });
    const cancelled = await make();
    const settled = await make();
    const due = await make();
    clock.advance(10_000);
    await command(cancelled, "cancel");
    await command(settled, "settle");
    const ids = [draft, cancelled, settled, due, "x".repeat(22)];
    const { id } = await accept(ids, await signIn());
    work();
    expect(await untilFinal(id)).toMatchObject({
      status: "completed",
      done: 1n,
      skipped: 4n,
      settled_amount: String(EARNED),
    });
  });

  test("the recipient may have their streams settled as well", async () => {
    const { makeMany, accept, signIn, work, untilFinal } = await openOperations();
    const { id } = await accept(await makeMany(2), await signIn(RECIPIENT));
    work();
    expect(await untilFinal(id)).toMatchObject({ done: 2n, settled_amount: String(2n * EARNED) });
  });

  test("workers share the operations, and none takes what another has", async () => {
    const held = heldSender();
    const { makeMany, accept, signIn, work, untilFinal, settledBy } = await openOperations(held.sender);
    const session = await signIn();
    const all = await makeMany(40);
    const operations = [];
    for (let first = 0; first < 40; first += 10)
      operations.push(await accept(all.slice(first, first + 10), session));
    const workers = [work(), work(), work()];
    for (const { id } of operations) {
      expect(await untilFinal(id)).toMatchObject({ status: "completed", done: 10n });
      expect((await settledBy(id)).every(({ times }) => times === 1)).toBe(true);
    }
    // Not one was sent twice: nobody was taken for dead.
    expect(held.calls).toHaveLength(40);
    await Promise.all(workers.map((worker) => worker.stop()));
  });

  test("one that is not heard of loses its claim, and can record nothing more", async () => {
    const held = heldSender();
    const { makeMany, accept, signIn, work, until, untilFinal, clock, settledBy, faults } =
      await openOperations(held.sender);
    const ids = await makeMany(3);
    const { id } = await accept(ids, await signIn());
    const answer = held.hold();
    // A worker renews its claim by a timer too. This one's comes too late to count.
    const claimMs = 40_000;
    const stuck = work({ claimMs });
    await until(id, () => held.calls.length === 1);
    clock.advance(claimMs);
    const other = work({ sender: ledgerOnly });
    expect(await untilFinal(id)).toMatchObject({ status: "completed", done: 3n });
    answer();
    await stuck.stop();
    await other.stop();
    expect(held.calls).toHaveLength(1);
    expect(faults).toEqual([]);
    // The first was written before the clock moved on, and is what was sent.
    const later = EARNED + 40n * 10_000_000n;
    const amounts = [EARNED, later, later];
    expect(await settledBy(id)).toEqual(ids.map((stream, n) => ({ stream, times: 1, amount: amounts[n] })));
  });

  test("a slow sender does not lose its claim while the process lives", async () => {
    const held = heldSender();
    const { makeMany, accept, signIn, work, until, untilFinal, clock, operation } = await openOperations(
      held.sender,
    );
    const { id } = await accept(await makeMany(2), await signIn());
    const answer = held.hold();
    work({ claimMs: 200 });
    await until(id, () => held.calls.length === 1);
    const { claim, claimed_until } = await operation(id);
    clock.advance(100);
    await until(id, (row) => row.claimed_until > claimed_until);
    expect(await operation(id)).toMatchObject({ claim, done: 0n });
    answer();
    await untilFinal(id);
  });

  test("a sender that fails is asked again with the same settlement", async () => {
    const held = heldSender();
    const { makeMany, accept, signIn, work, until, untilFinal, faults } = await openOperations(held.sender);
    const { id } = await accept(await makeMany(2), await signIn());
    const recover = held.loseAnswers();
    work();
    await until(id, () => held.calls.length === 2);
    recover();
    expect(await untilFinal(id)).toMatchObject({ status: "completed", done: 2n });
    expect(held.moved.size).toBe(2);
    expect(faults.length).toBeGreaterThan(0);
  });

  test("what the sender refuses for good has failed, with its reason; the rest goes on, and no money is out of place", async () => {
    const { sender, refusedStreams, calls } = refusingSender();
    const { makeMany, accept, signIn, work, untilFinal, settledBy, audit, command, clock, faults, sql } =
      await openOperations(sender);
    const ids = await makeMany(5);
    const [first = "", , third = ""] = ids;
    refusedStreams.add(first).add(third);
    const { id } = await accept(ids, await signIn());
    work();
    const row = await untilFinal(id);
    expect(row).toMatchObject({ status: "completed", done: 3n, skipped: 0n, failed: 2n });
    expect(operationJson(row, clock.now())).toMatchObject({
      failed: 2,
      failures: [first, third].map((stream_id) => ({ stream_id, reason: "recipient_missing" })),
      settled_amount: "30.0000000",
    });
    const times = [0, 1, 0, 1, 1];
    expect((await settledBy(id)).map((stream) => stream.times)).toEqual(times);
    // Each was sent once, and none of it was a fault that somebody has to look at.
    expect([calls.length, faults]).toEqual([5, []]);
    expect(await audit(first)).toMatchObject({ status: "active", settled: 0n, entries: ["deposit"] });
    expect((await loadStream(sql.db, first))?.pendingSettlement).toBeNull();

    // The account is there by now: what was earned is paid, under another id.
    refusedStreams.clear();
    await command(first, "settle");
    expect(await audit(first)).toMatchObject({ settled: EARNED });
    expect(new Set(calls).size).toBe(6);
  });

  test("of very many that have failed the first are named, and all are counted", async () => {
    const { sender, refusedStreams } = refusingSender();
    const { makeMany, accept, signIn, work, untilFinal } = await openOperations(sender);
    const ids = await makeMany(FAILURES_LISTED + 3);
    for (const id of ids) refusedStreams.add(id);
    const { id } = await accept(ids, await signIn());
    work();
    const row = await untilFinal(id);
    expect(row).toMatchObject({ status: "completed", done: 0n, failed: BigInt(ids.length) });
    expect(failuresOf(row).map(({ stream_id }) => stream_id)).toEqual(ids.slice(0, FAILURES_LISTED));
  });

  test("a store that fails is waited for: the operation neither pauses nor goes on", async () => {
    const held = heldSender();
    const { makeMany, accept, signIn, work, until, untilFinal, engine, operation, faults } =
      await openOperations(held.sender);
    const { id } = await accept(await makeMany(3), await signIn());
    let asked = 0;
    let down = true;
    work({
      standing: async (session) => {
        asked += 1;
        if (down) throw new Error("the store is down");
        return engine.getSessionStatus(session);
      },
    });
    await until(id, () => asked >= 2);
    expect(await operation(id)).toMatchObject({ status: "running", done: 0n, pause_reason: null });
    expect(held.calls).toEqual([]);
    down = false;
    expect(await untilFinal(id)).toMatchObject({ status: "completed", done: 3n });
    expect(faults.length).toBeGreaterThanOrEqual(2);
  });

  test("a stop finishes the step at hand and gives the operation back", async () => {
    const held = heldSender();
    const { makeMany, accept, signIn, work, until, untilFinal, operation } = await openOperations(
      held.sender,
    );
    const { id } = await accept(await makeMany(5), await signIn());
    const answer = held.hold();
    const first = work();
    await until(id, () => held.calls.length === 1);
    const stopped = first.stop();
    answer();
    await stopped;
    expect(await operation(id)).toMatchObject({
      status: "running",
      done: 1n,
      claim: null,
      claimed_until: 0n,
    });
    // The clock stands still: the next one need not wait for anything to lapse.
    work();
    expect(await untilFinal(id)).toMatchObject({ status: "completed", done: 5n });
    expect(held.calls).toHaveLength(5);
  });

  test("a cancellation stops it before the next step; what was being sent is recorded", async () => {
    const held = heldSender();
    const { makeMany, accept, signIn, work, until, sql, clock, settledBy, operation } = await openOperations(
      held.sender,
    );
    const ids = await makeMany(4);
    const { id } = await accept(ids, await signIn());
    const answer = held.hold();
    const worker = work();
    await until(id, () => held.calls.length === 1);
    const result = await sql.write((tx) => cancelOperation(tx, SENDER, id, clock.now()));
    expect(result).toMatchObject({ status: "cancelled", done: 0n });
    answer();
    await until(id, ({ done }) => done === 1n);
    await worker.stop();
    expect(await operation(id)).toMatchObject({
      status: "cancelled",
      done: 1n,
      settled_amount: String(EARNED),
    });
    expect((await settledBy(id)).map(({ times }) => times)).toEqual([1, 0, 0, 0]);
    const again = await sql.write((tx) => cancelOperation(tx, SENDER, id, clock.now()));
    expect(again).toMatchObject({ status: "cancelled", done: 1n });
  });

  test("a cancellation while somebody else's settlement is finished first begins nothing", async () => {
    const held = heldSender();
    const { makeMany, accept, signIn, work, until, sql, clock, command, operation } = await openOperations(
      held.sender,
    );
    const [stream = ""] = await makeMany(1);
    const find = held.loseAnswers();
    await expect(command(stream, "settle")).rejects.toMatchObject({ code: "settlement_unavailable" });
    find();
    clock.advance(10_000);
    const { id } = await accept([stream], await signIn());
    const answer = held.hold();
    const worker = work();
    await until(id, () => held.calls.length === 2);
    await sql.write((tx) => cancelOperation(tx, SENDER, id, clock.now()));
    answer();
    await worker.stop();
    expect((await loadStream(sql.db, stream))?.pendingSettlement).toBeNull();
    expect(held.moved.size).toBe(1);
    expect(await operation(id)).toMatchObject({ status: "cancelled", done: 0n });
  });

  test("what a cancelled operation has left unrecorded is finished at the next start", async () => {
    const { makeMany, accept, signIn, sql, clock, context, audit } = await openOperations();
    const ids = await makeMany(2);
    const session = await signIn();
    const [cancelled, waiting] = [await accept(ids, session), await accept(ids, session)];
    const step = (operationId: string, streamId = "") =>
      sql.write((tx) => {
        const request = {
          streamId,
          actorId: SENDER,
          operationId,
          now: clock.now(),
          sent: null,
          mayBegin: true,
        };
        return settleStream(tx, request, context.random);
      });
    await step(cancelled.id, ids[0]);
    await step(waiting.id, ids[1]);
    await sql.write((tx) => cancelOperation(tx, SENDER, cancelled.id, clock.now()));
    await finishSettlements(context);
    expect(await Promise.all(ids.map((id) => audit(id)))).toMatchObject([
      { settled: EARNED },
      { settled: 0n },
    ]);
  });

  test("the sum of what it settles may be more than 64 bits hold", async () => {
    const deposit = AMOUNT_MAX_STROOPS;
    const { make, accept, signIn, work, untilFinal, clock, faults } = await openOperations();
    const ids = [await make({ deposit }), await make({ deposit })];
    clock.advance(100_000);
    const { id } = await accept(ids, await signIn());
    work();
    const done = await untilFinal(id);
    expect(done).toMatchObject({ status: "completed", settled_amount: String(2n * deposit) });
    expect(operationJson(done, clock.now()).settled_amount).toBe("1844674407370.9551614");
    expect(faults).toEqual([]);
  });

  test("a clock that was set back leaves no operation to a worker that is gone", async () => {
    const { makeMany, accept, signIn, work, untilFinal, sql, clock } = await openOperations();
    const { id } = await accept(await makeMany(1), await signIn());
    await sql.write((tx) => claimOperation(tx, "of a process that was killed", CLAIM_MS, clock.now()));
    clock.advance(-3_600_000);
    work();
    expect(await untilFinal(id)).toMatchObject({ status: "completed" });
  });

  test("a stop while an operation is being claimed gives that one back too", async () => {
    const { makeMany, accept, signIn, work, sql, operation } = await openOperations();
    const { id } = await accept(await makeMany(1), await signIn());
    const stopped = Promise.withResolvers<void>();
    const worker = work({
      sql: {
        db: sql.db,
        write: async (task) => {
          const claimed = await sql.write(task);
          // It is written, and its worker does not know yet.
          void worker.stop().then(stopped.resolve);
          return claimed;
        },
      },
    });
    await stopped.promise;
    expect(await operation(id)).toMatchObject({ status: "running", claim: null, claimed_until: 0n });
  });

  test("long operations take turns: a short one need not wait for them", async () => {
    const order: string[] = [];
    const { makeMany, accept, signIn, work, untilFinal } = await openOperations({
      async settle({ streamId }) {
        order.push(streamId);
        return { reference: null };
      },
    });
    const session = await signIn();
    const [many, few] = [await makeMany(30), await makeMany(3)];
    const long = await accept(many, session);
    const short = await accept(few, session);
    work();
    await untilFinal(short.id);
    await untilFinal(long.id);
    // Looked at after the short one's end, the long one might have come to its own.
    expect(order.indexOf(few.at(-1) ?? "")).toBeLessThan(order.indexOf(many[15] ?? ""));
  });
});
