import { describe, expect, onTestFinished, test } from "vitest";
import { DATABASES } from "../sql/databases.fixture.ts";
import { streamEvents } from "./live.ts";
import { loadStream } from "./stream-store.ts";
import { SENDER, streamsOn } from "./streams.fixture.ts";

describe.each(DATABASES)("%s", (kind) => {
  const { openStreams } = streamsOn(kind);

  async function open() {
    const streams = await openStreams();
    function watch(id: string, lastEventId: string | null = null) {
      const controller = new AbortController();
      onTestFinished(() => controller.abort());
      const source = streamEvents(streams.context, id, SENDER, 10);
      const events = source({ lastEventId, signal: controller.signal })[Symbol.asyncIterator]();
      return { next: async () => (await events.next()).value, end: () => controller.abort(), events };
    }
    return { ...streams, watch };
  }

  test("the state first, what it earns while it is active, and each new state", async () => {
    const { clock, make, command, watch } = await open();
    const id = await make({ start: false });
    const { next } = watch(id);
    expect(await next()).toMatchObject({
      event: "stream.state",
      data: { id, status: "draft", accrued: "0.0000000" },
    });
    const started = next();
    await command(id, "start");
    expect(await started).toMatchObject({ event: "stream.state", data: { status: "active" } });
    clock.advance(5_000);
    const accrual = await next();
    expect(accrual).toEqual({
      event: "stream.accrual",
      data: {
        accrued: "5.0000000",
        withdrawable: "5.0000000",
        elapsed_seconds: 5,
        as_of: new Date(clock.now()).toISOString(),
      },
    });
    await command(id, "pause");
    expect(await next()).toMatchObject({ event: "stream.state", data: { status: "paused" } });
  });

  test("who comes back with the last state gets only what is new", async () => {
    const { sql, clock, make, command, watch } = await open();
    const id = await make();
    const changed = String((await loadStream(sql.db, id))?.changed);
    const { next } = watch(id, changed);
    const first = next();
    clock.advance(1_000);
    expect(await first).toMatchObject({ event: "stream.accrual", data: { elapsed_seconds: 1 } });
    await command(id, "pause");
    expect(await watch(id, changed).next()).toMatchObject({
      event: "stream.state",
      data: { status: "paused" },
    });
  });

  test("what has run out is told once more, and then stands still until it changes", async () => {
    const { clock, make, command, watch } = await open();
    const id = await make();
    const { next } = watch(id);
    await next();
    clock.advance(500_000);
    expect(await next()).toMatchObject({ event: "stream.accrual", data: { accrued: "100.0000000" } });
    clock.advance(10_000);
    const last = next();
    await command(id, "settle");
    expect(await last).toMatchObject({ event: "stream.state", data: { status: "completed" } });
  });

  test("it ends when it is let go of, and where there is no stream", async () => {
    const { make, watch } = await open();
    const { next, end, events } = watch(await make({ start: false }));
    await next();
    const waiting = events.next();
    end();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect((await watch("none").events.next()).done).toBe(true);
  });
});
