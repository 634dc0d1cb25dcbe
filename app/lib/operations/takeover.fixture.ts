import { expect } from "vitest";
import { operationsOn } from "./operations.fixture.ts";
import { killed, workersAt } from "./workers.fixture.ts";

/** How long a claim of the workers lasts: the other one waits for that. */
const CLAIM_MS = 1_000;

/**
 * The test of one operation on PostgreSQL whose worker is killed in the middle, while another process waits: the other goes on,
 * each payment stream is settled once, and the sums are exact.
 */
export function takeoverOf(streams: number): () => Promise<void> {
  const { newPlace, openOperations } = operationsOn("postgres");
  return async () => {
    const place = newPlace();
    const { sql, makeMany, accept, signIn, untilFinal, settledBy } = await openOperations(undefined, place);
    const ids = await makeMany(streams);
    const { id } = await accept(ids, await signIn());
    const [running, waiting] = [workersAt(place), workersAt(place)];
    const half = Math.floor(streams / 2);
    const still = await running.stoppedAt(`after send ${half}`, null, CLAIM_MS);
    const other = waiting.startWorkerProcess(null, { claimMs: CLAIM_MS });
    await killed(still);
    const done = await untilFinal(id);
    expect(done).toMatchObject({ status: "completed", done: BigInt(streams), skipped: 0n });
    expect(other.exitCode).toBeNull();

    const settled = await settledBy(id);
    expect(settled.map(({ stream, times }) => [stream, times])).toEqual(ids.map((stream) => [stream, 1]));
    const sum = settled.reduce((total, { amount }) => total + amount, 0n);
    expect(BigInt(done.settled_amount)).toBe(sum);
    const { total } = await sql.db
      .selectFrom("stream_ledger")
      .select(({ fn }) => fn.sum<string>("amount").as("total"))
      .where("kind", "=", "settlement")
      .executeTakeFirstOrThrow();
    expect(BigInt(total)).toBe(sum);
    // The one that was being sent when the first was killed was sent again, as the very same settlement.
    const sent = [...running.sent(), ...waiting.sent()];
    expect([sent.length, new Set(sent).size]).toEqual([streams + 1, streams]);
  };
}
