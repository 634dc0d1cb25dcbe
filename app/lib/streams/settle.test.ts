import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { DATABASES } from "../sql/databases.fixture.ts";
import { settleStream } from "./pending-settlement.ts";
import type { Sent } from "./settlement.ts";
import { loadStream } from "./stream-store.ts";
import { bodyOf, RECIPIENT, SENDER, STRANGER, streamsOn } from "./streams.fixture.ts";

describe.each(DATABASES)("%s", (kind) => {
  const { openStreams } = streamsOn(kind);

  async function open() {
    const streams = await openStreams();
    const settle = (
      streamId: string,
      sent: Sent | null = null,
      actorId = SENDER,
      operationId = "operation",
      mayBegin = true,
    ) => {
      const request = { streamId, actorId, operationId, now: streams.clock.now(), sent, mayBegin };
      return streams.sql.write((tx) => settleStream(tx, request, randomBytes));
    };
    return { ...streams, settle };
  }

  test("written, sent, recorded: once for each operation, however often it is asked", async () => {
    const { clock, make, settle, audit } = await open();
    const id = await make();
    clock.advance(10_000);
    const first = await settle(id);
    // As after a crash: the same one again.
    clock.advance(1_000);
    expect(await settle(id)).toEqual(first);
    if (first.outcome !== "send") throw new Error(first.outcome);
    expect(first.settlement).toMatchObject({
      streamId: id,
      sender: SENDER,
      recipient: RECIPIENT,
      amount: 100_000_000n,
      asset: "XLM",
    });
    const sent = { id: first.settlement.id, reference: null };
    const settled = { outcome: "settled", amount: 100_000_000n };
    expect(await settle(id, sent)).toEqual(settled);
    clock.advance(10_000);
    expect(await settle(id, sent)).toEqual(settled);
    expect(await settle(id)).toEqual(settled);
    expect(await audit(id)).toMatchObject({ settled: 100_000_000n, entries: ["deposit", "settlement"] });
  });

  test("refused for good: taken back, and not asked for anew by the same operation", async () => {
    const { clock, make, settle, command, audit, sql } = await open();
    const id = await make();
    clock.advance(10_000);
    const first = await settle(id);
    if (first.outcome !== "send") throw new Error(first.outcome);
    const refused = { outcome: "refused", refused: "recipient_refuses" };
    const sent = { id: first.settlement.id, refused: "recipient_refuses" } as const;
    expect(await settle(id, sent)).toEqual(refused);
    clock.advance(10_000);
    // As after a crash that came just then: again, with and without the answer.
    expect(await settle(id, sent)).toEqual(refused);
    expect(await settle(id)).toEqual(refused);
    expect(await audit(id)).toMatchObject({ status: "active", settled: 0n, entries: ["deposit"] });
    expect(await loadStream(sql.db, id)).toMatchObject({ version: 1, pendingSettlement: null });

    const other = await settle(id, null, SENDER, "another");
    expect(other).toMatchObject({ outcome: "send", settlement: { amount: 200_000_000n } });
    await command(id, "settle");
    expect(await settle(id, null, SENDER, "another")).toEqual({ outcome: "settled", amount: 200_000_000n });
    expect((await audit(id)).entries).toEqual(["deposit", "settlement"]);
  });

  test("another operation's settlement that is refused makes way for this one's own", async () => {
    const { clock, make, settle } = await open();
    const id = await make();
    clock.advance(10_000);
    const first = await settle(id, null, SENDER, "another");
    if (first.outcome !== "send") throw new Error(first.outcome);
    const own = await settle(id, { id: first.settlement.id, refused: "rejected" });
    if (own.outcome !== "send") throw new Error(own.outcome);
    expect(own.settlement.id).not.toBe(first.settlement.id);
    expect(await settle(id, { id: own.settlement.id, reference: null })).toMatchObject({
      outcome: "settled",
    });
    expect(await settle(id, null, SENDER, "another")).toEqual({ outcome: "refused", refused: "rejected" });
  });

  test("what a command finishes meanwhile still counts for the operation", async () => {
    const { clock, make, settle, command, audit } = await open();
    const id = await make();
    clock.advance(10_000);
    await settle(id);
    clock.advance(5_000);
    expect(bodyOf(await command(id, "withdraw"))).toMatchObject({ withdrawn: "15.0000000" });
    expect(await settle(id)).toEqual({ outcome: "settled", amount: 100_000_000n });
    expect((await audit(id)).entries).toEqual(["deposit", "settlement", "settlement", "withdrawal"]);
  });

  test("a settlement of another operation is finished first", async () => {
    const { clock, make, settle } = await open();
    const id = await make();
    clock.advance(10_000);
    const first = await settle(id, null, SENDER, "another");
    if (first.outcome !== "send") throw new Error(first.outcome);
    expect(await settle(id)).toEqual(first);
    clock.advance(5_000);
    const second = await settle(id, { id: first.settlement.id, reference: null });
    expect(second).toMatchObject({ outcome: "send", settlement: { amount: 50_000_000n } });
    expect(await settle(id, null, SENDER, "another")).toMatchObject(second);
  });

  test("an operation that may begin nothing only records what was sent, by any sender", async () => {
    const { clock, make, settle, audit, sql } = await open();
    const id = await make();
    clock.advance(10_000);
    const last = (sent: Sent | null = null) => settle(id, sent, SENDER, "operation", false);
    expect(await last()).toEqual({ outcome: "not_possible", amount: 0n });
    const first = await settle(id, null, SENDER, "another");
    if (first.outcome !== "send") throw new Error(first.outcome);
    clock.advance(10_000);
    expect(await last({ id: first.settlement.id, reference: null })).toEqual({
      outcome: "not_possible",
      amount: 0n,
    });
    expect(await audit(id)).toMatchObject({ settled: 100_000_000n, entries: ["deposit", "settlement"] });
    expect((await loadStream(sql.db, id))?.pendingSettlement).toBeNull();
  });

  test("nothing to settle, not possible, not there", async () => {
    const { clock, make, settle, command } = await open();
    const [running, draft, ended] = [await make(), await make({ start: false }), await make()];
    await command(ended, "cancel");
    clock.advance(999);
    expect(await settle(running)).toEqual({ outcome: "nothing", amount: 0n });
    expect(await settle(draft)).toEqual({ outcome: "not_possible", amount: 0n });
    expect(await settle(ended)).toEqual({ outcome: "not_possible", amount: 0n });
    expect(await settle(running, null, STRANGER)).toEqual({ outcome: "not_found", amount: 0n });
    expect(await settle("none")).toEqual({ outcome: "not_found", amount: 0n });
    clock.advance(1);
    expect(await settle(running, null, RECIPIENT)).toMatchObject({ outcome: "send" });
  });
});
