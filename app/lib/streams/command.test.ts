import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { DATABASES } from "../sql/databases.fixture.ts";
import { commandStream, finishSettlements } from "./command.ts";
import { settleStream } from "./pending-settlement.ts";
import type { Sent, SettlementSender } from "./settlement.ts";
import { loadStream, updateStream } from "./stream-store.ts";
import {
  bodyOf,
  codeOf,
  heldSender,
  RECIPIENT,
  refusingSender,
  SENDER,
  STRANGER,
  streamsOn,
} from "./streams.fixture.ts";
import { STREAM_COMMANDS } from "./transitions.ts";

describe.each(DATABASES)("%s", (kind) => {
  const { openStreams } = streamsOn(kind);

  test("the whole life of a stream, in the answers and in the ledger", async () => {
    const { clock, make, command, audit } = await openStreams();
    const id = await make({ start: false });
    expect(bodyOf(await command(id, "start"))).toMatchObject({
      status: "active",
      version: 2,
      accrued: "0.0000000",
    });
    clock.advance(10_000);
    expect(bodyOf(await command(id, "settle"))).toMatchObject({
      settled: "10.0000000",
      withdrawable: "10.0000000",
    });
    clock.advance(10_000);
    expect(bodyOf(await command(id, "pause"))).toMatchObject({
      status: "paused",
      elapsed_seconds: 20,
      ends_at: null,
    });
    clock.advance(1_000_000);
    expect(bodyOf(await command(id, "withdraw"))).toMatchObject({
      role: "recipient",
      settled: "20.0000000",
      withdrawn: "20.0000000",
      withdrawable: "0.0000000",
      version: 5,
    });
    expect(bodyOf(await command(id, "start"))).toMatchObject({ status: "active", elapsed_seconds: 20 });
    clock.advance(5_000);
    const cancelled = await command(id, "cancel");
    expect(bodyOf(cancelled)).toMatchObject({
      status: "cancelled",
      settled: "25.0000000",
      refunded: "75.0000000",
    });
    expect(cancelled.headers).toEqual({ ETag: '"7"' });
    expect(bodyOf(await command(id, "withdraw"))).toMatchObject({
      withdrawn: "25.0000000",
      remaining: "0.0000000",
    });
    expect((await audit(id)).entries).toEqual([
      "deposit",
      "settlement",
      "settlement",
      "withdrawal",
      "settlement",
      "refund",
      "withdrawal",
    ]);
  });

  test("what ran out is completed by its last settlement, also when it comes with a withdrawal or a cancellation", async () => {
    const { clock, make, command, audit } = await openStreams();
    const ids = [await make(), await make(), await make()] as const;
    clock.advance(100_000);
    expect(await codeOf(command(ids[0], "pause"))).toBe("stream_state");
    expect(bodyOf(await command(ids[0], "settle")).status).toBe("completed");
    expect(bodyOf(await command(ids[1], "withdraw")).status).toBe("completed");
    expect(bodyOf(await command(ids[2], "cancel"))).toMatchObject({
      status: "completed",
      refunded: "0.0000000",
    });
    for (const id of ids) expect(await audit(id)).toMatchObject({ settled: 1_000_000_000n, refunded: 0n });
  });

  test("nobody else sees it, each role has its commands, and a refusal changes nothing", async () => {
    const { clock, make, command, audit } = await openStreams();
    const id = await make();
    clock.advance(5_000);
    const before = await audit(id);
    for (const name of STREAM_COMMANDS) {
      expect(await codeOf(command(id, name, { actorId: STRANGER }))).toBe("not_found");
    }
    for (const name of ["start", "pause", "cancel"] as const) {
      expect(await codeOf(command(id, name, { actorId: RECIPIENT }))).toBe("not_permitted");
    }
    expect(await codeOf(command(id, "withdraw", { actorId: SENDER }))).toBe("not_permitted");
    expect(await codeOf(command(id, "start"))).toBe("stream_state");
    expect(await codeOf(command("no such stream", "start"))).toBe("not_found");
    expect(await audit(id)).toEqual(before);
  });

  test("with a version it is done at that version alone", async () => {
    const { clock, make, command } = await openStreams();
    const id = await make();
    clock.advance(5_000);
    const at = (wanted: number) => ({ matches: (version: number) => version === wanted });
    expect(await codeOf(command(id, "settle", at(2)))).toBe("version_conflict");
    expect(bodyOf(await command(id, "settle", at(1))).version).toBe(2);
    expect(await codeOf(command(id, "cancel", at(1)))).toBe("version_conflict");
    expect(bodyOf(await command(id, "cancel", at(2)))).toMatchObject({ status: "cancelled", version: 3 });
  });

  test("20 at once: each amount moves once", async () => {
    const { clock, make, command, audit } = await openStreams();
    const id = await make();
    clock.advance(30_000);
    const all = Array.from({ length: 20 }, (_, n) => command(id, n % 2 === 0 ? "settle" : "withdraw"));
    const outcomes = await Promise.all(all.map(codeOf));
    expect(outcomes.filter((code) => code === "no error").length).toBeGreaterThanOrEqual(11);
    expect(outcomes.filter((code) => code !== "no error" && code !== "stream_state")).toEqual([]);
    expect(await audit(id)).toMatchObject({
      withdrawn: 300_000_000n,
      entries: ["deposit", "settlement", "withdrawal"],
    });
  });

  test("of many who end it at the same version one does", async () => {
    const { clock, make, command, audit } = await openStreams();
    const id = await make();
    clock.advance(30_000);
    const matches = (version: number) => version === 1;
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, () => codeOf(command(id, "cancel", { matches }))),
    );
    expect(outcomes.filter((code) => code === "no error")).toHaveLength(1);
    expect(await audit(id)).toMatchObject({
      status: "cancelled",
      entries: ["deposit", "settlement", "refund"],
    });
  });

  test("the compare-and-swap refuses what was read before another change", async () => {
    const { sql, make, command } = await openStreams();
    const id = await make();
    const stale = await loadStream(sql.db, id);
    await command(id, "pause");
    const cause = { at: 0, actorId: SENDER, operationId: null, settlementId: null };
    const paused = [{ type: "paused", entry: null }] as const;
    const write = sql.write(async (tx) => stale && updateStream(tx, stale, stale.stream, paused, cause));
    expect(await codeOf(write)).toBe("store_unavailable");
    expect((await loadStream(sql.db, id))?.version).toBe(2);
  });

  test("an answer that is lost on its way from the sender: the same settlement again, and the money moves once", async () => {
    const { sender, moved, calls, loseAnswers } = heldSender();
    const { clock, make, command, audit } = await openStreams(sender);
    const id = await make();
    clock.advance(10_000);
    const recover = loseAnswers();
    expect(await codeOf(command(id, "withdraw"))).toBe("settlement_unavailable");
    // Whatever else is asked of the stream has to finish that first, and cannot.
    clock.advance(5_000);
    expect(await codeOf(command(id, "pause"))).toBe("settlement_unavailable");
    expect(await audit(id)).toMatchObject({ settled: 0n, entries: ["deposit"] });
    recover();
    expect(bodyOf(await command(id, "withdraw"))).toMatchObject({ withdrawn: "15.0000000" });
    expect([...moved.values()]).toEqual([100_000_000n, 50_000_000n]);
    expect(new Set(calls).size).toBe(2);
    expect((await audit(id)).entries).toEqual(["deposit", "settlement", "settlement", "withdrawal"]);
  });

  test("a command during a settlement finishes it, and the first one is answered all the same", async () => {
    const { sender, moved, calls, hold } = heldSender();
    const { clock, make, command, audit } = await openStreams(sender);
    const id = await make();
    clock.advance(100_000);
    const release = hold();
    const both = [command(id, "settle"), command(id, "settle")];
    await expect.poll(() => calls).toHaveLength(2);
    expect(new Set(calls).size).toBe(1);
    release();
    const outcomes = await Promise.all(both.map(codeOf));
    expect(outcomes).toContain("no error");
    expect(moved.size).toBe(1);
    expect(await audit(id)).toMatchObject({ status: "completed", entries: ["deposit", "settlement"] });
  });

  test("a settlement that is refused for good: the command is refused, and the stream is as it was", async () => {
    const { sender, refusedStreams, calls } = refusingSender();
    const { clock, make, command, audit, sql } = await openStreams(sender);
    const id = await make();
    clock.advance(10_000);
    refusedStreams.add(id);
    for (const name of ["settle", "withdraw", "cancel"] as const) {
      expect(await codeOf(command(id, name))).toBe("settlement_refused");
    }
    expect(await audit(id)).toMatchObject({ status: "active", settled: 0n, entries: ["deposit"] });
    expect(await loadStream(sql.db, id)).toMatchObject({ version: 1, pendingSettlement: null });
    // What needs none goes on, and so does all else once the recipient can be paid.
    expect(bodyOf(await command(id, "pause"))).toMatchObject({ status: "paused", version: 2 });
    refusedStreams.clear();
    expect(bodyOf(await command(id, "withdraw"))).toMatchObject({ withdrawn: "10.0000000" });
    expect(new Set(calls).size).toBe(4);
  });

  test("several who wait for one settlement that is refused: none of them is told that it was made", async () => {
    const { sender, refusedStreams, calls, hold } = refusingSender();
    const { clock, make, command, audit } = await openStreams(sender);
    const id = await make();
    clock.advance(10_000);
    refusedStreams.add(id);
    const release = hold();
    const both = [command(id, "settle"), command(id, "settle")];
    await expect.poll(() => calls).toHaveLength(2);
    expect(new Set(calls).size).toBe(1);
    release();
    expect(await Promise.all(both.map(codeOf))).toEqual(["settlement_refused", "settlement_refused"]);
    expect(await audit(id)).toMatchObject({ status: "active", settled: 0n, entries: ["deposit"] });
  });

  test("a start takes back what is left and refused", async () => {
    const { sender, refusedStreams } = refusingSender();
    const { context, sql, clock, make, command, audit } = await openStreams(sender);
    const id = await make();
    clock.advance(10_000);
    const down = { ...context, sender: { settle: () => Promise.reject(new Error("no answer")) } };
    const request = {
      streamId: id,
      actorId: SENDER,
      command: "cancel",
      matches: null,
      idempotent: null,
    } as const;
    expect(await codeOf(commandStream(down, request))).toBe("settlement_unavailable");
    refusedStreams.add(id);
    await finishSettlements(context);
    expect((await loadStream(sql.db, id))?.pendingSettlement).toBeNull();
    expect(await audit(id)).toMatchObject({ status: "active", settled: 0n, entries: ["deposit"] });
    expect(bodyOf(await command(id, "pause"))).toMatchObject({ status: "paused" });
  });

  test("after a crash between sending and recording, a start finishes what is left", async () => {
    const { sender, moved, loseAnswers } = heldSender();
    const { context, sql, clock, make, command, audit } = await openStreams(sender);
    const [id, other] = [await make(), await make()];
    clock.advance(10_000);
    const recover = loseAnswers();
    await codeOf(command(id, "cancel"));
    recover();
    await finishSettlements(context);
    await finishSettlements(context);
    // The rest of the cancellation was never asked for again.
    expect(await audit(id)).toMatchObject({ status: "active", settled: 100_000_000n, refunded: 0n });
    expect(await audit(other)).toMatchObject({ settled: 0n });
    expect(moved.size).toBe(1);
    const [settlement] = await sql.db.selectFrom("stream_settlements").selectAll().execute();
    expect(settlement).toMatchObject({
      requested_by: SENDER,
      recorded_at: BigInt(clock.now()),
      reference: `tx of ${settlement?.id}`,
    });
  });

  test("what a long operation has written is left to it at a start", async () => {
    const { context, sql, clock, make, audit } = await openStreams();
    const id = await make();
    clock.advance(10_000);
    const settling = {
      streamId: id,
      actorId: SENDER,
      operationId: "operation",
      now: clock.now(),
      sent: null,
      mayBegin: true,
    };
    await sql.write((tx) => settleStream(tx, settling, randomBytes));
    await finishSettlements(context);
    expect(await audit(id)).toMatchObject({ settled: 0n });
  });

  test("a command gives up when others are always faster, and has changed nothing", async () => {
    let operations = 0;
    const { context, sql, clock, make, audit } = await openStreams();
    const id = await make();
    /** Writes the settlement of yet another operation, once the one before is recorded. */
    const another = (sent: Sent | null) => {
      clock.advance(1_000);
      const settling = {
        streamId: id,
        actorId: SENDER,
        operationId: `${operations++}`,
        now: clock.now(),
        sent,
        mayBegin: true,
      };
      return sql.write((tx) => settleStream(tx, settling, randomBytes));
    };
    await another(null);
    const sender: SettlementSender = {
      async settle({ id: settlementId }) {
        await another({ id: settlementId, reference: null });
        return { reference: null };
      },
    };
    const pause = {
      streamId: id,
      actorId: SENDER,
      command: "pause",
      matches: null,
      idempotent: null,
    } as const;
    expect(await codeOf(commandStream({ ...context, sender }, pause))).toBe("store_unavailable");
    expect(await audit(id)).toMatchObject({ status: "active" });
  });

  test("one that cannot be sent at a start keeps none of the others", async () => {
    const { sender, loseAnswers } = heldSender();
    const { context, clock, make, command, audit } = await openStreams(sender);
    const ids = [await make(), await make(), await make()] as const;
    clock.advance(10_000);
    const recover = loseAnswers();
    for (const id of ids) await codeOf(command(id, "settle"));
    recover();
    const refusing: SettlementSender = {
      settle: (settlement) =>
        settlement.streamId === ids[1] ? Promise.reject(new Error("no")) : sender.settle(settlement),
    };
    await expect(finishSettlements({ ...context, sender: refusing })).rejects.toThrow(AggregateError);
    const settled = await Promise.all(ids.map(async (id) => (await audit(id)).settled));
    expect(settled).toEqual([100_000_000n, 0n, 100_000_000n]);
  });
});
