// Two processes on one database, as far as the database can tell: each has connections of its own.
import { describe, expect, test } from "vitest";
import { DATABASES } from "../sql/databases.fixture.ts";
import { ledgerOnly } from "../streams/settlement.ts";
import { codeOf, SENDER } from "../streams/streams.fixture.ts";
import { cancelOperation, createOperation, requireRoom, takeTurn } from "./commands.ts";
import { CLAIM_MS, OPERATIONS_OPEN_PER_ACTOR } from "./limits.ts";
import { operationsOn } from "./operations.fixture.ts";
import { changeOperation, claimOperation } from "./rows.ts";

describe.each(DATABASES)("%s", (kind) => {
  const { newPlace, openOperations } = operationsOn(kind);

  /** Here something is due; there it is as late. */
  async function openBoth() {
    const place = newPlace();
    const both = [await openOperations(ledgerOnly, place), await openOperations(ledgerOnly, place)] as const;
    const [here, there] = both;
    const streamIds = await here.makeMany(1);
    there.clock.advance(here.clock.now() - there.clock.now());
    return { both, here, there, streamIds };
  }

  test("an account gets no more operations than it may have, on whatever processes it asks at the same moment", async () => {
    const { both, here, streamIds } = await openBoth();
    const { session } = await here.signIn();
    const wish = { actorId: SENDER, sessionId: session.id, streamIds };
    const begin = (n: number) => {
      const { sql, clock, context } = both[n % 2 === 0 ? 0 : 1];
      return sql.write(async (tx) => {
        await takeTurn(tx, SENDER, clock.now());
        await requireRoom(tx, SENDER, clock.now());
        return createOperation(tx, wish, clock.now(), context.random);
      });
    };
    const codes = await Promise.all(Array.from({ length: 10 }, (_, n) => codeOf(begin(n))));
    expect(codes.filter((code) => code === "no error")).toHaveLength(OPERATIONS_OPEN_PER_ACTOR);
    expect(await here.sql.db.selectFrom("operations").select("id").execute()).toHaveLength(
      OPERATIONS_OPEN_PER_ACTOR,
    );
  });

  test("each operation is claimed once, by the first that comes", async () => {
    const { both, here, streamIds } = await openBoth();
    const session = await here.signIn();
    const made = [];
    for (let n = 0; n < 3; n += 1) made.push(await here.accept(streamIds, session));
    const claims = await Promise.all(
      Array.from({ length: 12 }, (_, n) => {
        const { sql, clock } = both[n % 2 === 0 ? 0 : 1];
        return sql.write((tx) => claimOperation(tx, `worker ${n}`, CLAIM_MS, clock.now()));
      }),
    );
    const claimed = claims.filter((claim) => claim !== null);
    expect(claimed.map(({ operationId }) => operationId).sort()).toEqual(made.map(({ id }) => id).sort());
    const rows = await here.sql.db.selectFrom("operations").select(["id", "claim"]).execute();
    const tokens = new Map(rows.map(({ id, claim }) => [id, claim]));
    for (const { operationId, token } of claimed) expect(tokens.get(operationId)).toBe(token);
  });

  test("what is cancelled stays so, also when it is resumed at the same moment", async () => {
    const { here, there, streamIds } = await openBoth();
    const old = await here.signIn();
    for (let round = 0; round < 5; round += 1) {
      const { id } = await here.accept(streamIds, old);
      const paused = {
        status: "paused",
        paused_at: here.clock.now(),
        pause_reason: "session_revoked",
      } as const;
      await here.sql.write((tx) => changeOperation(tx, id, here.clock.now(), paused));
      here.clock.advance(1_000);
      const newer = await here.signIn();
      const [resumed, cancelled] = await Promise.all([
        codeOf(here.resume(id, newer)),
        there.sql.write((tx) => cancelOperation(tx, SENDER, id, there.clock.now())),
      ]);
      expect(cancelled.status).toBe("cancelled");
      expect(["no error", "operation_state"]).toContain(resumed);
      expect((await there.operation(id)).status).toBe("cancelled");
    }
  });
});
