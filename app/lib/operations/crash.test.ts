import { describe, expect, test } from "vitest";
import { DATABASES } from "../sql/databases.fixture.ts";
import type { SettlementSender } from "../streams/settlement.ts";
import { CLAIM_MS } from "./limits.ts";
import { operationsOn } from "./operations.fixture.ts";
import { killed, workersAt } from "./workers.fixture.ts";

const STREAMS = 2;

describe.each(DATABASES)("%s", (kind) => {
  const { newPlace, openOperations } = operationsOn(kind);

  /** Streams and an operation for workers in processes of their own. */
  async function openShared() {
    const place = newPlace();
    const { startWorkerProcess, stoppedAt, sent } = workersAt(place);
    const recovered: string[] = [];
    const sender: SettlementSender = {
      async settle({ id, streamId, amount }) {
        recovered.push(`${id} ${streamId} ${amount}`);
        return { reference: null };
      },
    };
    const operations = await openOperations(sender, place);

    /** Runs a worker until it has come to the point, and kills it there. */
    const killAt = async (point: string) => killed(await stoppedAt(point, operations.clock.now()));

    const startChild = () => startWorkerProcess(operations.clock.now());
    return { ...operations, startChild, killAt, sent: () => [...sent(), ...recovered] };
  }

  // The first write is the claim; then each step has two, the intent and the record, with the sending in between.
  describe("killed", () => {
    test.each([
      ["while claiming", "inside write 1"],
      ["with the claim", "after write 1"],
      ["while writing the first intent", "inside write 2"],
      ["with the first intent", "after write 2"],
      ["with the first settlement sent", "after send 1"],
      ["while writing the first record", "inside write 3"],
      ["between the steps", "after write 3"],
      ["while writing the last record", "inside write 5"],
      ["at the end", "after write 5"],
    ])("%s: no step is lost, none is taken twice", async (_, point) => {
      const { makeMany, accept, signIn, killAt, clock, work, untilFinal, settledBy, sent } =
        await openShared();
      const ids = await makeMany(STREAMS);
      const { id } = await accept(ids, await signIn());
      await killAt(point);
      clock.advance(CLAIM_MS);
      work();
      const operation = await untilFinal(id);
      expect(operation).toMatchObject({ status: "completed", done: BigInt(STREAMS), skipped: 0n });
      const settled = await settledBy(id);
      expect(settled.map(({ stream, times }) => [stream, times])).toEqual(ids.map((stream) => [stream, 1]));
      expect(BigInt(operation.settled_amount)).toBe(settled.reduce((sum, { amount }) => sum + amount, 0n));
      // What was sent again was the very same settlement, which a sender acts on once.
      const distinct = [...new Set(sent())].map((line) => line.split(" ").slice(1)).sort();
      expect(distinct).toEqual(settled.map(({ stream, amount }) => [stream, String(amount)]).sort());
    });
  });

  test("workers of two processes share them, and no step is taken twice", async () => {
    const { makeMany, accept, signIn, startChild, untilFinal, settledBy, sent } = await openShared();
    const session = await signIn();
    const ids = await makeMany(80);
    const operations = [];
    for (let first = 0; first < ids.length; first += 10) {
      operations.push(await accept(ids.slice(first, first + 10), session));
    }
    const children = [startChild(), startChild()];
    for (const { id } of operations) {
      expect(await untilFinal(id)).toMatchObject({ status: "completed", done: 10n });
      expect((await settledBy(id)).every(({ times }) => times === 1)).toBe(true);
    }
    expect(children.map(({ exitCode }) => exitCode)).toEqual([null, null]);
    // A step that met a fault is taken again, with the settlement that it has written.
    expect(new Set(sent()).size).toBe(ids.length);
  });
});
