// Workers of several processes on one PostgreSQL, of which one dies or stands still in the middle.
import { once } from "node:events";
import { expect, test } from "vitest";
import { CLAIM_MS } from "./limits.ts";
import { operationsOn } from "./operations.fixture.ts";
import { takeoverOf } from "./takeover.fixture.ts";
import type { Pace } from "./worker.ts";
import { workersAt } from "./workers.fixture.ts";

const { newPlace, openOperations } = operationsOn("postgres");

async function openShared() {
  const place = newPlace();
  return { ...(await openOperations(undefined, place)), ...workersAt(place) };
}

type Shared = Awaited<ReturnType<typeof openShared>>;

/** All that a worker writes. */
async function everything({ sql }: Shared): Promise<unknown[]> {
  const tables = [
    "operations",
    "operation_steps",
    "streams",
    "stream_settlements",
    "stream_ledger",
    "stream_history",
    "positions",
  ] as const;
  return Promise.all(tables.map((table) => sql.db.selectFrom(table).selectAll().execute()));
}

/** As many turns at once, and then none. */
function turns(count: number): Pace {
  let left = count;
  return {
    turn: async (signal) => {
      left -= 1;
      if (left < 0) await once(signal, "abort");
    },
  };
}

test.each([
  ["with the claim", "after write 1"],
  ["with an intent that was not sent", "after write 2"],
  ["with a settlement that was sent", "after send 1"],
  ["while recording it, with the rows locked", "inside write 3"],
  ["between two steps", "after write 3"],
])("a worker that stands still %s loses its claim, and writes nothing when it wakes up", async (_, point) => {
  const shared = await openShared();
  const { makeMany, accept, signIn, stoppedAt, clock, work, operation, until, untilFinal, settledBy } =
    shared;
  const ids = await makeMany(6);
  const { id } = await accept(ids, await signIn());
  const still = await stoppedAt(point, clock.now());
  clock.advance(CLAIM_MS);
  // The other one takes two steps, and there is more to do when the first wakes up.
  const { done } = await operation(id);
  const other = work({ pace: turns(2) });
  await until(id, (row) => row.done >= done + 2n);
  await other.stop();
  const before = await everything(shared);

  const ended = once(still, "exit");
  still.kill("SIGCONT");
  expect(await ended).toEqual([0, null]);
  expect(await everything(shared)).toEqual(before);
  work();
  expect(await untilFinal(id)).toMatchObject({ status: "completed", done: 6n });
  const settled = await settledBy(id);
  expect(settled.map(({ stream, times }) => [stream, times])).toEqual(ids.map((stream) => [stream, 1]));
});

test(
  "40 streams in one operation, its worker killed midway: another goes on, each is settled once, the sums are exact",
  takeoverOf(40),
);
