import { statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sql as raw } from "kysely";
import { describe, expect, onTestFinished, test } from "vitest";
import { SessionError } from "wallet-session";
import { openSqliteStore } from "wallet-session/stores/sqlite";
import { Overtaken } from "./database.ts";
import {
  DATABASES,
  EARLIER_DATABASE,
  emptyPlaces,
  type Place,
  temporaryDirectory,
} from "./databases.fixture.ts";
import { MIGRATIONS } from "./migrations.ts";
import { lastPosition, nextPosition } from "./positions.ts";
import { openSql, type Sql } from "./sql.ts";

function databasePath(): string {
  return join(temporaryDirectory(), "new", "streams.db");
}

async function openAt({ url, schema }: Place, faults: unknown[] = []): Promise<Sql> {
  const sql = await openSql(url, (fault) => faults.push(fault), { schema });
  onTestFinished(() => sql.close());
  return sql;
}

describe.each(DATABASES)("%s", (kind) => {
  const newPlace = emptyPlaces(kind);
  const open = (faults?: unknown[]) => openAt(newPlace(), faults);

  test("a transaction takes effect as a whole, or not at all", async () => {
    const sql = await open();
    expect(await sql.write(nextPosition)).toBe(1n);
    const failed = sql.write(async (tx) => {
      await nextPosition(tx);
      throw new Error("changed my mind");
    });
    await expect(failed).rejects.toThrow("changed my mind");
    expect(await lastPosition(sql.db)).toBe(1n);
  });

  test("writes take turns, and a read sees none of them half", async () => {
    const sql = await open();
    const positions = Array.from({ length: 20 }, () =>
      sql.write(async (tx) => {
        const first = await nextPosition(tx);
        expect(await nextPosition(tx)).toBe(first + 1n);
        return first;
      }),
    );
    const seen = await Promise.all(Array.from({ length: 20 }, () => lastPosition(sql.db)));
    expect(seen.filter((position) => position % 2n !== 0n)).toEqual([]);
    const given = (await Promise.all(positions)).sort((a, b) => Number(a - b));
    expect(given).toEqual(Array.from({ length: 20 }, (_, n) => BigInt(2 * n + 1)));
  });

  test("tells of commits, not of what was rolled back", async () => {
    const sql = await open();
    let commits = 0;
    const end = sql.onCommit(() => {
      commits += 1;
    });
    await sql.write(nextPosition);
    await sql.write(() => Promise.reject(new Error("no"))).catch(() => {});
    expect(commits).toBe(1);
    end();
    await sql.write(nextPosition);
    expect(commits).toBe(1);
  });

  test("one that is overtaken is begun again, from what is there then, and gives up after a while", async () => {
    const sql = await open();
    const seen: bigint[] = [];
    const overtaken = (times: number) =>
      sql.write(async (tx) => {
        seen.push(await nextPosition(tx));
        if (seen.length <= times) throw new Overtaken();
      });
    await overtaken(3);
    expect(seen).toEqual([1n, 1n, 1n, 1n]);
    await expect(overtaken(100)).rejects.toMatchObject({ code: "store_unavailable", retryAfterSeconds: 1 });
    expect(await lastPosition(sql.db)).toBe(1n);
  });

  test("integers are exact", async () => {
    const sql = await open();
    const most = 9_223_372_036_854_775_807n;
    await sql.write((tx) => tx.updateTable("positions").set({ last: most }).execute());
    expect(await lastPosition(sql.db)).toBe(most);
  });

  test("a mistake in a statement comes out as it is, and is no fault", async () => {
    const faults: unknown[] = [];
    const sql = await open(faults);
    await expect(raw`SELECT no_such_column`.execute(sql.db)).rejects.toThrow(/no such column|does not exist/);
    const twice = sql.write((tx) => tx.insertInto("positions").values({ id: 1, last: 5 }).execute());
    await expect(twice).rejects.toThrow(/unique constraint/i);
    expect(faults).toEqual([]);
    expect(await lastPosition(sql.db)).toBe(0n);
  });
});

test("in memory: works, and forgets", async () => {
  const sql = await openAt({ url: { kind: "memory" } });
  expect([await sql.write(nextPosition), await lastPosition(sql.db)]).toEqual([1n, 1n]);
  expect(await lastPosition((await openAt({ url: { kind: "memory" } })).db)).toBe(0n);
});

test("a file of the earlier migrator is brought up to date, with what is in it", async () => {
  const path = join(temporaryDirectory(), "earlier.db");
  const earlier = new DatabaseSync(path);
  earlier.exec(EARLIER_DATABASE);
  earlier.close();
  for (const sql of await Promise.all([1, 2].map(() => openAt({ url: { kind: "sqlite", path } })))) {
    const names = await sql.db.selectFrom("app_migrations").select("name").orderBy("name").execute();
    expect(names.map(({ name }) => name)).toEqual(Object.keys(MIGRATIONS));
    expect(await sql.db.selectFrom("streams").select("title").execute()).toEqual([{ title: "old" }]);
    expect(await lastPosition(sql.db)).toBe(2n);
  }
});

test("stands in the file of the sessions, and neither minds the other", async () => {
  const path = databasePath();
  const first = await openAt({ url: { kind: "sqlite", path } });
  const store = openSqliteStore({ path });
  onTestFinished(() => store.close());
  await first.write(nextPosition);
  const again = await openAt({ url: { kind: "sqlite", path } });
  expect(await lastPosition(again.db)).toBe(1n);
  await store.ping();
  const alone = databasePath();
  await openSqliteStore({ path: alone }).close();
  expect(userVersion(path)).toBe(userVersion(alone));
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a migration that this version does not know keeps it shut", async () => {
  const path = databasePath();
  const sql = await openAt({ url: { kind: "sqlite", path } });
  await sql.write((tx) =>
    tx
      .insertInto("app_migrations")
      .values({ name: "9999-later", timestamp: "2030-01-01T00:00:00.000Z" })
      .execute(),
  );
  await expect(openSql({ kind: "sqlite", path }, () => {})).rejects.toThrow("been through 9999-later");
});

test("what is no database is said", async () => {
  await expect(openSql({ kind: "sqlite", path: tmpdir() }, () => {})).rejects.toThrow("EISDIR");
  const path = databasePath();
  await (await openSql({ kind: "sqlite", path }, () => {})).close();
  writeFileSync(path, "no database, and longer than the header of one would be".repeat(9));
  await expect(openSql({ kind: "sqlite", path }, () => {})).rejects.toThrow("not a database");
});

test("a fault is reported with its cause, and told without it", async () => {
  const faults: unknown[] = [];
  const sql = await openAt({ url: { kind: "sqlite", path: databasePath() } }, faults);
  await raw`PRAGMA max_page_count = 1`.execute(sql.db);
  const error = await sql
    .write((tx) =>
      tx
        .insertInto("app_migrations")
        .values({ name: "x".repeat(1_000_000), timestamp: "" })
        .execute(),
    )
    .catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: "store_unavailable", message: expect.not.stringContaining("full") });
  expect(String(faults)).toContain("full");
  expect(await sql.write(nextPosition)).toBe(1n);
});

describe("another connection that writes", () => {
  test("is waited for outside the event loop; reads go on meanwhile", async () => {
    const path = databasePath();
    const sql = await openAt({ url: { kind: "sqlite", path } });
    const other = new DatabaseSync(path);
    onTestFinished(() => other.close());
    other.exec("BEGIN IMMEDIATE; UPDATE positions SET last = 7");
    const write = sql.write(nextPosition);
    expect(await lastPosition(sql.db)).toBe(0n);
    await new Promise((resolve) => setImmediate(resolve));
    other.exec("COMMIT");
    expect(await write).toBe(8n);
  });

  test("and does not stop is answered with a fault that says to try again", async () => {
    const path = databasePath();
    const faults: unknown[] = [];
    const sql = await openAt({ url: { kind: "sqlite", path } }, faults);
    const other = new DatabaseSync(path);
    onTestFinished(() => other.close());
    other.exec("BEGIN IMMEDIATE");
    const error = await sql.write(nextPosition).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(SessionError);
    expect(error).toMatchObject({ code: "store_unavailable", retryAfterSeconds: 1 });
    expect(faults).toHaveLength(1);
    other.exec("ROLLBACK");
    expect(await sql.write(nextPosition)).toBe(1n);
  });
});

/** The version of the sessions' own schema. */
function userVersion(path: string): unknown {
  const file = new DatabaseSync(path);
  onTestFinished(() => file.close());
  return file.prepare("PRAGMA user_version").get()?.user_version;
}
