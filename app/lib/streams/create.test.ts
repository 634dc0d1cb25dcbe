import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { DATABASES } from "../sql/databases.fixture.ts";
import type { Reader } from "../sql/schema.ts";
import { DAY_MS, STREAMS_MADE_PER_DAY, STREAMS_OPEN_PER_SENDER } from "./limits.ts";
import { codeOf, RECIPIENT, SENDER, streamsOn } from "./streams.fixture.ts";

describe.each(DATABASES)("%s", (kind) => {
  const { openStreams } = streamsOn(kind);

  /** Copies the one stream there is until there are so many: each made in earnest would take a transaction of its own. */
  async function multiply(db: Reader, wanted: number): Promise<void> {
    const { id, ...others } = await db.selectFrom("streams").selectAll().executeTakeFirstOrThrow();
    const columns = Object.keys(others) as (keyof typeof others)[];
    for (let count = 1; count < wanted; count *= 2) {
      const copies = db
        .selectFrom("streams")
        .select([sql<string>`id || ${sql.lit(`-${count}`)}`.as("id"), ...columns])
        .limit(Math.min(count, wanted - count));
      await db
        .insertInto("streams")
        .columns(["id", ...columns])
        .expression(copies)
        .execute();
    }
  }

  test("a sender has only so many streams that have not ended, however many are made at once", async () => {
    const streams = await openStreams();
    const { make, command, clock } = streams;
    const { db } = streams.sql;
    const draft = await make({ start: false });
    await multiply(db, STREAMS_OPEN_PER_SENDER - 2);
    clock.advance(DAY_MS);

    const ends = await Promise.all(Array.from({ length: 6 }, () => codeOf(make())));
    expect(ends.sort()).toEqual([...Array(2).fill("no error"), ...Array(4).fill("stream_state")]);
    const rows = async (table: "streams" | "stream_ledger") =>
      (await db.selectFrom(table).select(sql.lit(1).as("one")).execute()).length;
    expect(await rows("streams")).toBe(STREAMS_OPEN_PER_SENDER);
    // What was refused has moved no money: a deposit each, of those that were made in earnest.
    expect(await rows("stream_ledger")).toBe(3);

    expect(await codeOf(make({ recipient: SENDER }, RECIPIENT))).toBe("no error");
    await command(draft, "cancel");
    expect(await codeOf(make())).toBe("no error");
    expect(await codeOf(make())).toBe("stream_state");
  });

  test("a sender makes only so many streams a day, whatever becomes of them", async () => {
    const { make, command, clock, sql } = await openStreams();
    await command(await make({ start: false }), "cancel");
    await multiply(sql.db, STREAMS_MADE_PER_DAY - 1);
    expect(await codeOf(make())).toBe("no error");
    expect(await codeOf(make())).toBe("rate_limited");
    expect(await codeOf(make({ recipient: SENDER }, RECIPIENT))).toBe("no error");
    clock.advance(DAY_MS);
    expect(await codeOf(make())).toBe("no error");
  });
});
