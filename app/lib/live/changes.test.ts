import { describe, expect, onTestFinished, test } from "vitest";
import { DATABASES } from "../sql/databases.fixture.ts";
import { lastPosition } from "../sql/positions.ts";
import { streamChanges } from "../streams/live.ts";
import { ledgerOnly } from "../streams/settlement.ts";
import { RECIPIENT, SENDER, STRANGER, streamsOn } from "../streams/streams.fixture.ts";
import { changeFeed, concernedBy, positionOf, positionWatch } from "./changes.ts";

describe.each(DATABASES)("%s", (kind) => {
  const { newPlace, openStreams } = streamsOn(kind);

  async function open() {
    const streams = await openStreams();
    const { sql, context } = streams;
    /** One that has said where it begins. */
    async function feed(actorId: string, lastEventId: string | null = null) {
      const { signal, abort } = controlled();
      const source = await changeFeed(sql, actorId, streamChanges(context));
      const events = source({ lastEventId, signal })[Symbol.asyncIterator]();
      const { value: begun } = await events.next();
      return { begun, next: async () => (await events.next()).value, end: abort, events };
    }
    return { ...streams, feed };
  }

  function controlled() {
    const controller = new AbortController();
    onTestFinished(() => controller.abort());
    return { signal: controller.signal, abort: () => controller.abort() };
  }

  test("from now on: each side hears of its streams, as it sees them, and nobody of another's", async () => {
    const { make, command, feed } = await open();
    const old = await make();
    const feeds = [await feed(SENDER), await feed(RECIPIENT), await feed(STRANGER)] as const;
    const first = feeds.map(({ next }) => next());
    const id = await make({ recipient: RECIPIENT });
    const foreign = await make({ recipient: STRANGER });
    expect(await first[0]).toMatchObject({ event: "stream.state", data: { id, role: "sender", version: 1 } });
    expect(await first[1]).toMatchObject({ event: "stream.state", data: { id, role: "recipient" } });
    expect(await first[2]).toMatchObject({ data: { id: foreign, role: "recipient" } });
    expect(await feeds[0].next()).toMatchObject({ data: { id: foreign } });
    const later = feeds[1].next();
    await command(old, "pause");
    expect(await later).toMatchObject({ data: { id: old, status: "paused" } });
  });

  test("a feed begins when its answer does: what changes before it is first read is in it", async () => {
    const { make, context, sql } = await open();
    await make();
    const source = await changeFeed(sql, SENDER, streamChanges(context));
    const begun = String(await lastPosition(sql.db));
    const id = await make();
    const { signal } = controlled();
    const events = source({ lastEventId: null, signal })[Symbol.asyncIterator]();
    expect((await events.next()).value).toEqual({ id: begun });
    expect((await events.next()).value).toMatchObject({ data: { id } });
  });

  test("who comes back gets all that changed since, each once and in its newest state", async () => {
    const { sql, make, command, clock, feed } = await open();
    const [one, two] = [await make(), await make()];
    const seen = String(await lastPosition(sql.db));
    clock.advance(5_000);
    await command(one, "settle");
    await command(two, "pause");
    await command(one, "pause");
    const { next } = await feed(SENDER, seen);
    const events = [await next(), await next()];
    expect(events).toMatchObject([
      { data: { id: two, status: "paused" } },
      { id: String(await lastPosition(sql.db)), data: { id: one, status: "paused", settled: "5.0000000" } },
    ]);
    const more = next();
    await command(two, "cancel");
    expect(await more).toMatchObject({ data: { id: two, status: "cancelled" } });
  });

  test("what comes from several sides comes in the order of the changes, and none is passed over", async () => {
    const { sql, make, context, feed } = await open();
    const before = String(await lastPosition(sql.db));
    const ids = [
      await make({ start: false }),
      await make({ recipient: SENDER }, RECIPIENT),
      await make({ start: false }),
    ];
    const { next } = await feed(SENDER, before);
    const one = [await next(), await next(), await next()];
    expect(one.map((event) => event?.data)).toMatchObject(ids.map((id) => ({ id })));

    // Each of the two sees one side only.
    const sources = streamChanges(context);
    for (const order of [sources, sources.toReversed()]) {
      const merged = await changeFeed(sql, SENDER, order);
      const { signal } = controlled();
      const events = merged({ lastEventId: before, signal })[Symbol.asyncIterator]();
      expect((await events.next()).value).toEqual({ id: before });
      const all = [await events.next(), await events.next(), await events.next()];
      expect(all.map(({ value }) => value.data)).toMatchObject(ids.map((id) => ({ id })));
    }
  });

  test("a slow reader gets the newest state when it asks, and no backlog", async () => {
    const { sql, make, command, clock, feed } = await open();
    const before = String(await lastPosition(sql.db));
    const [id, other] = [await make(), await make()];
    const { next } = await feed(SENDER, before);
    expect(await next()).toMatchObject({ data: { id, version: 1 } });
    for (let n = 0; n < 10; n += 1) {
      clock.advance(1_000);
      await command(id, "settle");
    }
    expect(await next()).toMatchObject({ data: { id: other } });
    expect(await next()).toMatchObject({ data: { id, version: 11 } });
  });

  test.each(["x", "-1", "1.5", "99999999999999999999", "1000"])(
    "Last-Event-ID %j is none of this database's: from now on",
    async (lastEventId) => {
      const { sql, make, feed } = await open();
      await make();
      const { begun, next } = await feed(SENDER, lastEventId);
      expect(begun).toEqual({ id: String(await lastPosition(sql.db)) });
      const id = await make();
      expect(await next()).toMatchObject({ data: { id } });
    },
  );

  test("a feed ends when it is let go of, also while it waits", async () => {
    const { feed } = await open();
    const { events, end } = await feed(SENDER);
    const next = events.next();
    end();
    expect(await next).toEqual({ done: true, value: undefined });
  });

  test("what another process changes is found", async () => {
    const place = newPlace();
    const [here, there] = [await openStreams(ledgerOnly, place), await openStreams(ledgerOnly, place)];
    const watch = positionWatch(here.sql);
    expect(positionWatch(here.sql)).toBe(watch);
    const { signal } = controlled();
    const found = [SENDER, RECIPIENT].map((actorId) => watch.newer(0n, actorId, signal));
    await there.make({ start: false });
    expect(await Promise.all(found)).toEqual([1n, 1n]);
    expect(await watch.newer(0n, SENDER, signal)).toBe(1n);
    expect(await watch.newer(1n, SENDER, signal, 1)).toBeNull();
    expect(await watch.newer(0n, SENDER, AbortSignal.abort())).toBeNull();
  });

  test("whom a change does not concern is not woken by it, and misses none of their own", async () => {
    const { sql, make } = await openStreams();
    const watch = positionWatch(sql);
    const { signal } = controlled();
    const theirs = watch.newer(0n, STRANGER, signal);
    expect(await Promise.all([watch.newer(0n, SENDER, signal), make()])).toMatchObject([
      2n,
      expect.any(String),
    ]);
    const later = watch.newer(2n, SENDER, signal);
    expect(await Promise.race([theirs, make().then(() => later)])).toBe(4n);
    await make({ recipient: STRANGER });
    expect(await theirs).toBe(6n);
  });

  test("of more changes at one time than are looked up everybody is told", async () => {
    const { sql, make } = await openStreams();
    await make({ start: false });
    expect(await concernedBy(sql.db, 0n, 1n)).toEqual(new Set([SENDER, RECIPIENT]));
    expect(await concernedBy(sql.db, 1n, 1n)).toEqual(new Set());
    expect(await concernedBy(sql.db, 0n, 1_001n)).toBe("anybody");
  });

  test("positions are read strictly", () => {
    expect(positionOf("12")).toBe(12n);
    for (const text of [null, "", " 1", "1e3", "0x1", "1234567890123456789"])
      expect(positionOf(text)).toBeNull();
  });
});
