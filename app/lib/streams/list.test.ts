import { sql as raw } from "kysely";
import { describe, expect, test } from "vitest";
import { DATABASES, type Place } from "../sql/databases.fixture.ts";
import { lastPosition } from "../sql/positions.ts";
import type { Sql } from "../sql/sql.ts";
import { countStreams, cursorOf, type ListRequest, listStreams, openStreamIds, placeOf } from "./list.ts";
import { streamChanges } from "./live.ts";
import { ledgerOnly } from "./settlement.ts";
import { codeOf, RECIPIENT, SENDER, STRANGER, streamsOn } from "./streams.fixture.ts";

/** How the database would carry the queries out, were there a lot in it. */
function plansOf(sql: Sql, queries: readonly string[], { url, schema }: Place): Promise<string[]> {
  return sql.write(async (tx) => {
    const ask = async (text: string) => (await raw.raw<Record<string, string>>(text).execute(tx)).rows;
    const onPostgres = url.kind === "postgres";
    if (onPostgres) await ask(`SET LOCAL search_path = ${schema}`);
    if (onPostgres) await ask("SET LOCAL enable_seqscan = off");
    const plans: string[] = [];
    for (const query of queries) {
      const lines = await ask(`EXPLAIN ${onPostgres ? "" : "QUERY PLAN"} ${query}`);
      plans.push(lines.map((line) => line.detail ?? line["QUERY PLAN"]).join("\n"));
    }
    return plans;
  });
}

describe.each(DATABASES)("%s", (kind) => {
  const { newPlace, openStreams } = streamsOn(kind);

  const EVERYTHING = { status: null, role: null, limit: 100, after: null } as const;

  async function open() {
    const place = newPlace();
    const streams = await openStreams(ledgerOnly, place);
    const page = (request: Partial<ListRequest> & { actorId: string }) =>
      listStreams(streams.sql.db, { ...EVERYTHING, ...request });
    const ids = async (request: Partial<ListRequest> & { actorId: string }) =>
      (await page(request)).records.map(({ stream }) => stream.id);
    return { ...streams, place, page, ids };
  }

  test("a recipient hears of a stream when it starts, and not of what was called off before it had paid", async () => {
    const { sql, clock, make, command, ids } = await open();
    const drafts = await Promise.all([1, 2, 3].map(() => make({ start: false })));
    const [draft = "", started = "", paid = ""] = drafts;
    const recipient = { actorId: RECIPIENT };
    expect(await ids(recipient)).toEqual([]);
    for (const source of streamChanges({ clock })) {
      const news = await source(sql.db, RECIPIENT, 0n, await lastPosition(sql.db));
      expect(news).toBeNull();
    }
    await Promise.all([started, paid].map((id) => command(id, "start")));
    expect((await ids(recipient)).sort()).toEqual([started, paid].sort());
    await command(started, "cancel");
    clock.advance(2_000);
    await command(paid, "cancel");
    await command(draft, "cancel");
    expect(await ids(recipient)).toEqual([paid]);
    expect(await countStreams(sql.db, { ...recipient, role: null })).toMatchObject({
      draft: 0,
      cancelled: 1,
    });
    expect((await ids({ actorId: SENDER })).sort()).toEqual(drafts.sort());
  });

  test("newest first, filtered, and only to the two sides", async () => {
    const { sql, clock, make, command, ids } = await open();
    const made: string[] = [];
    for (let n = 0; n < 4; n += 1) {
      clock.advance(10);
      made.push(await make({ start: n % 2 === 0 }));
    }
    const [draft = "", active = ""] = [made[1], made[2]];
    await command(made[0] ?? "", "pause");
    clock.advance(10);
    const received = await make({ recipient: SENDER }, RECIPIENT);
    expect(await ids({ actorId: SENDER })).toEqual([received, ...made.toReversed()]);
    expect(await ids({ actorId: SENDER, role: "recipient" })).toEqual([received]);
    expect(await ids({ actorId: SENDER, status: "active" })).toEqual([received, active]);
    expect(await ids({ actorId: SENDER, role: "sender", status: "draft" })).toEqual([made[3], draft]);
    expect(await ids({ actorId: STRANGER })).toEqual([]);
    expect(await countStreams(sql.db, { actorId: SENDER, role: null })).toEqual({
      draft: 2,
      active: 2,
      paused: 1,
      completed: 0,
      cancelled: 0,
    });
    expect(await countStreams(sql.db, { actorId: SENDER, role: "recipient" })).toMatchObject({
      draft: 0,
      active: 1,
    });
    expect(await openStreamIds(sql.db, SENDER, 10)).toEqual([made[0], active, received]);
    expect(await openStreamIds(sql.db, RECIPIENT, 1)).toEqual([made[0]]);
  });

  test("pages meet without a gap or a repetition, also among streams of one moment and while more are made", async () => {
    const { make, clock, page, ids } = await open();
    for (let n = 0; n < 12; n += 1) {
      if (n % 4 === 0) clock.advance(1);
      await (n % 3 === 0 ? make({ recipient: SENDER }, RECIPIENT) : make());
    }
    const all = await ids({ actorId: SENDER });
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const part = await page({ actorId: SENDER, limit: 5, after: cursor === null ? null : placeOf(cursor) });
      seen.push(...part.records.map(({ stream }) => stream.id));
      cursor = part.next && cursorOf(part.next);
      clock.advance(1);
      await make();
    } while (cursor !== null);
    expect(seen).toEqual(all);
  });

  test.each([
    "",
    "x",
    "====",
    "MTIz",
    Buffer.from("1.short").toString("base64url"),
    `${cursorOf({ createdAt: 1, id: "a".repeat(22) })}=`,
  ])("%j is no cursor", async (text) => {
    expect(await codeOf(Promise.resolve().then(() => placeOf(text)))).toBe("invalid_request");
  });

  test("no query of the lists, the feeds and the histories reads more than it needs", async () => {
    const { sql, place } = await open();
    const queries: string[] = [];
    for (const [table, where] of [
      ["streams", "sender = 'a' ORDER BY created_at DESC, id DESC LIMIT 20"],
      [
        "streams",
        "recipient = 'a' AND (created_at, id) < (1, 'b') ORDER BY created_at DESC, id DESC LIMIT 20",
      ],
      [
        "streams",
        "sender = 'a' AND status = 'active' AND (created_at, id) < (1, 'b') ORDER BY created_at DESC, id DESC",
      ],
      ["streams", "recipient = 'a' AND changed > 5 AND changed <= 9 ORDER BY changed LIMIT 1"],
      ["streams", "changed > 5 AND changed <= 9"],
      ["operations", "changed > 5 AND changed <= 9"],
      ["streams", "pending_settlement IS NOT NULL"],
      ["stream_history", "stream_id = 'a' ORDER BY position DESC LIMIT 100"],
      ["stream_settlements", "operation_id = 'a' AND stream_id = 'b'"],
      ["idempotent_answers", "created_at < 5 ORDER BY created_at LIMIT 100"],
    ]) {
      queries.push(`SELECT * FROM ${table} WHERE ${where}`);
    }
    for (const plan of await plansOf(sql, queries, place)) {
      expect(plan).toMatch(/USING INDEX|Index/);
      expect(plan).not.toMatch(/SCAN|TEMP B-TREE|Seq Scan/);
    }
  });
});
