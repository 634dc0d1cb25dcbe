import { describe, expect, onTestFinished, test } from "vitest";
import { DATABASES } from "../sql/databases.fixture.ts";
import { lastPosition } from "../sql/positions.ts";
import { heldSender, SENDER, STRANGER } from "../streams/streams.fixture.ts";
import { cancelOperation } from "./commands.ts";
import { operationChanges, operationEvents } from "./live.ts";
import { operationJson } from "./operation.ts";
import { noPace, operationsOn } from "./operations.fixture.ts";
import { listOperations } from "./rows.ts";

type Operation = ReturnType<typeof operationJson>;

describe.each(DATABASES)("%s", (kind) => {
  const { openOperations } = operationsOn(kind);

  test("a watcher sees the present state first, then what changes, and the final state last", async () => {
    const { sql, clock, makeMany, accept, signIn, work } = await openOperations();
    const { id } = await accept(await makeMany(30), await signIn());
    const { signal } = new AbortController();
    const seen: Operation[] = [];
    const versions: number[] = [];
    for await (const event of operationEvents({ sql, clock }, id, SENDER)({ lastEventId: null, signal })) {
      expect(event.event).toBe("operation.state");
      versions.push(Number(event.id));
      seen.push(event.data as Operation);
      if (seen.length === 1) work();
    }
    expect(seen[0]).toMatchObject({ id, status: "queued", done: 0, total: 30 });
    expect(seen.at(-1)).toMatchObject({ status: "completed", done: 30, settled_amount: "300.0000000" });
    expect(versions).toEqual(seen.map(({ version }) => version));
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
  });

  test("a watcher that leaves is let go of; someone else's operation has nothing to show", async () => {
    const { sql, clock, makeMany, accept, signIn } = await openOperations();
    const { id } = await accept(await makeMany(1), await signIn());
    const left = new AbortController();
    const watch = operationEvents({ sql, clock }, id, SENDER)({ lastEventId: null, signal: left.signal });
    const events = watch[Symbol.asyncIterator]();
    expect((await events.next()).done).toBe(false);
    const next = events.next();
    left.abort();
    expect((await next).done).toBe(true);
    const foreign = operationEvents(
      { sql, clock },
      id,
      STRANGER,
    )({ lastEventId: null, signal: new AbortController().signal });
    expect((await foreign[Symbol.asyncIterator]().next()).done).toBe(true);
  });

  test("the feed has each operation once, in its newest state, in the order of the changes", async () => {
    const { sql, clock, makeMany, accept, signIn, work, untilFinal } = await openOperations();
    const session = await signIn();
    const first = await accept(await makeMany(2), session);
    const second = await accept(await makeMany(1), session);
    const start = await lastPosition(sql.db);
    const change = operationChanges({ clock });
    expect(await change(sql.db, SENDER, start, start)).toBeNull();
    await sql.write((tx) => cancelOperation(tx, SENDER, second.id, clock.now()));
    const worker = work();
    await untilFinal(first.id);
    await worker.stop();
    const last = await lastPosition(sql.db);
    const cancelled = await change(sql.db, SENDER, start, last);
    expect(cancelled).toMatchObject({
      event: "operation.state",
      data: { id: second.id, status: "cancelled" },
    });
    const completed = await change(sql.db, SENDER, cancelled?.position ?? 0n, last);
    expect(completed).toMatchObject({ data: { id: first.id, status: "completed" } });
    expect(await change(sql.db, SENDER, completed?.position ?? 0n, last)).toBeNull();
    expect(await change(sql.db, STRANGER, 0n, last)).toBeNull();
    const newestFirst = (await listOperations(sql.db, SENDER)).map(({ id }) => id);
    expect(newestFirst).toEqual([second.id, first.id]);
  });

  test("the rate is that of the last seconds, and none where nothing moves", async () => {
    const held = heldSender();
    const { sql, clock, makeMany, accept, signIn, work, until } = await openOperations(held.sender);
    const { id } = await accept(await makeMany(12), await signIn());
    const turn = async (signal: AbortSignal) => {
      // Four steps a second, and the eleventh goes on for long.
      clock.advance(250);
      if (held.calls.length === 10) onTestFinished(held.hold());
      await noPace.turn(signal);
    };
    work({ pace: { turn } });
    await until(id, ({ done }) => done === 10n);
    const rateAt = async (now: number) =>
      (await listOperations(sql.db, SENDER)).map((row) => operationJson(row, now).rate_per_second);
    expect(await rateAt(clock.now())).toEqual([4]);
    expect(await rateAt(clock.now() + 11_000)).toEqual([null]);
  });
});
