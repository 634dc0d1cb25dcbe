import { setTimeout } from "node:timers/promises";
import { sql as raw } from "kysely";
import { expect, onTestFinished, test, vi } from "vitest";
import { temporaryDatabase } from "../../../packages/wallet-session/src/stores/postgres/database.fixture.ts";
import { startProxy } from "../../../packages/wallet-session/src/stores/postgres/proxy.fixture.ts";
import { openerOf } from "./databases.fixture.ts";
import { lastPosition, nextPosition } from "./positions.ts";
import type { Tx } from "./schema.ts";
import type { Sql } from "./sql.ts";

const database = temporaryDatabase();
const open = openerOf(database);
/** For a busy machine. */
const PATIENTLY = { timeout: 10_000 };

/** A database with a default of its own, for one test. */
async function withDefault(name: string, value: string): Promise<void> {
  await database.query(`ALTER DATABASE ${database.name} SET ${name} = '${value}'`);
  onTestFinished(async () => void (await database.query(`ALTER DATABASE ${database.name} RESET ${name}`)));
}

/** Ends the app's connections as a restart of the server does. */
async function terminateAll(): Promise<void> {
  await database.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = $1 AND application_name = 'streampay'`,
    [database.name],
  );
}

/** A connection of the test's own that holds the row of the positions until the test ends. */
async function holdPositions(schema: string) {
  const holder = await database.connect();
  onTestFinished(() => holder.end());
  await holder.query("BEGIN");
  await holder.query(`UPDATE ${schema}.positions SET last = last + 1`);
  return holder;
}

const addKey = (key: string) => (tx: Tx) =>
  tx.insertInto("operation_turns").values({ actor_id: key, taken_at: 1 }).execute();

async function keys(sql: Sql): Promise<string[]> {
  const rows = await sql.db.selectFrom("operation_turns").select("actor_id").orderBy("actor_id").execute();
  return rows.map(({ actor_id }) => actor_id);
}

test("what a deadlock has undone is begun again", async () => {
  // Else the server looks for one after a second, which leaves half a second of what a statement may take.
  const { sql, faults } = await open({ url: `${database.url}?options=-c%20deadlock_timeout%3D100ms` });
  for (const key of ["a", "b"]) await sql.write(addKey(key));
  const met = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
  let begun = 0;
  const touch = (first: number, order: readonly string[]) =>
    sql.write(async (tx) => {
      begun += 1;
      // Who begins again might be first at its row once more, and meet the other anew; in the other's order it waits for it.
      const inTurn = begun > 2 ? order.toReversed() : order;
      for (const [index, key] of inTurn.entries()) {
        await tx
          .updateTable("operation_turns")
          .set({ taken_at: raw<bigint>`taken_at + 1` })
          .where("actor_id", "=", key)
          .execute();
        // Each has its first row before either asks for its second.
        if (index === 0) met[first]?.resolve();
        if (index === 0) await Promise.all(met.map(({ promise }) => promise));
      }
    });
  await Promise.all([touch(0, ["a", "b"]), touch(1, ["b", "a"])]);
  expect(begun).toBe(3);
  const rows = await sql.db.selectFrom("operation_turns").select("taken_at").execute();
  expect(rows).toEqual([{ taken_at: 3n }, { taken_at: 3n }]);
  expect(faults).toEqual([]);
});

test("a transaction that has lost its connection before its COMMIT is begun again, and happens once", async () => {
  const { sql, faults } = await open();
  let begun = 0;
  await sql.write(async (tx) => {
    begun += 1;
    await addKey("a")(tx);
    if (begun === 1) await terminateAll();
    await nextPosition(tx);
  });
  expect(begun).toBe(2);
  expect(await keys(sql)).toEqual(["a"]);
  expect(await lastPosition(sql.db)).toBe(1n);
  expect(faults).toEqual([]);
});

test("one that loses it each time gives up, with a fault that says to try again", async () => {
  const { sql, faults } = await open();
  let begun = 0;
  const failed = sql.write(async (tx) => {
    begun += 1;
    await terminateAll();
    await nextPosition(tx);
  });
  await expect(failed).rejects.toMatchObject({ code: "store_unavailable", retryAfterSeconds: 1 });
  expect(begun).toBe(4);
  expect(faults).toHaveLength(1);
  expect(await lastPosition(sql.db)).toBe(0n);
});

test("a COMMIT whose answer is lost is not made again: the outcome is unknown", async () => {
  const proxy = await startProxy(database.url);
  const { sql, schema, faults } = await open({ url: proxy.url });
  let begun = 0;
  const lost = sql.write(async (tx) => {
    begun += 1;
    await nextPosition(tx);
    proxy.dropAnswers();
  });
  const rejected = expect(lost).rejects.toMatchObject({ code: "store_unavailable" });
  const other = await open({ schema });
  await vi.waitFor(async () => expect(await lastPosition(other.sql.db)).toBe(1n), PATIENTLY);
  proxy.cut();
  await rejected;
  expect(begun).toBe(1);
  expect(faults).toHaveLength(1);
  expect(await lastPosition(sql.db)).toBe(1n);
});

test("a read that has lost its connection is asked again", async () => {
  const proxy = await startProxy(database.url);
  const { sql, faults } = await open({ url: proxy.url });
  proxy.dropAnswers();
  proxy.roundTrips();
  const reading = lastPosition(sql.db);
  await vi.waitFor(() => expect(proxy.roundTrips()).toBe(1), PATIENTLY);
  proxy.cut();
  expect(await reading).toBe(0n);
  expect(faults).toEqual([]);
});

test("connections that are lost while nobody uses them harm nobody", async () => {
  const { sql, faults } = await open();
  for (let round = 1n; round <= 3n; round += 1n) {
    await Promise.all(Array.from({ length: 10 }, () => lastPosition(sql.db)));
    await terminateAll();
    expect(await sql.write(nextPosition)).toBe(round);
  }
  expect(faults).toEqual([]);
});

test("a server that does not answer is a fault, for reads and for transactions: nothing waits for it", async () => {
  const proxy = await startProxy(database.url);
  const { sql, faults } = await open({ url: proxy.url });
  await Promise.all([lastPosition(sql.db), lastPosition(sql.db)]);
  proxy.dropAnswers();
  const asked = [lastPosition(sql.db), sql.write(nextPosition), lastPosition(sql.db)];
  for (const { reason } of (await Promise.allSettled(asked)) as PromiseRejectedResult[]) {
    expect(reason).toMatchObject({
      code: "store_unavailable",
      message: expect.not.stringContaining("timeout"),
    });
  }
  expect(faults).toHaveLength(3);
  proxy.cut();
  expect(await sql.write(nextPosition)).toBe(1n);
});

test("a row that somebody else keeps locked is waited for, and not for long", async () => {
  const { sql, schema, faults } = await open();
  const holder = await holdPositions(schema);
  const waiting = sql.write(nextPosition);
  await database.someoneWaits(holder);
  await holder.query("COMMIT");
  expect(await waiting).toBe(2n);
  await holder.query("BEGIN");
  await holder.query(`UPDATE ${schema}.positions SET last = last + 1`);
  await expect(sql.write(nextPosition)).rejects.toMatchObject({ code: "store_unavailable" });
  expect(String(faults)).toContain("statement timeout");
  await holder.query("ROLLBACK");
  expect(await sql.write(nextPosition)).toBe(3n);
});

test("who stands still in the middle of a transaction loses it, and what it has locked", async () => {
  const { sql, faults } = await open();
  let begun = 0;
  const first = Promise.withResolvers<void>();
  const still = sql.write(async (tx) => {
    begun += 1;
    await addKey(`${begun}`)(tx);
    const position = await nextPosition(tx);
    first.resolve();
    // As a process does that is stopped.
    if (begun === 1) await vi.waitFor(async () => expect(await lastPosition(sql.db)).toBe(1n), PATIENTLY);
    await addKey("last")(tx);
    return position;
  });
  await first.promise;
  await vi.waitFor(async () => expect(await sql.write(nextPosition)).toBe(1n), PATIENTLY);
  expect(await still).toBe(2n);
  expect(await keys(sql)).toEqual(["2", "last"]);
  expect(faults.length).toBeLessThanOrEqual(1);
});

test("a failed statement that nobody minds keeps the transaction from its commit", async () => {
  const { sql } = await open();
  const careless = sql.write(async (tx) => {
    await nextPosition(tx);
    await raw`SELECT no_such_column`.execute(tx).catch(() => {});
  });
  await expect(careless).rejects.toThrow("after one of its statements had failed");
  expect(await lastPosition(sql.db)).toBe(0n);
});

test("what is acknowledged is on disk, also where the database's default is not to wait for it", async () => {
  await withDefault("synchronous_commit", "off");
  const { sql } = await open();
  const watcher = await database.connect();
  onTestFinished(() => watcher.end());
  for (let round = 0; round < 5; round += 1) {
    const before = await watcher.query("SELECT pg_current_wal_insert_lsn() AS at");
    await sql.write(nextPosition);
    const after = await watcher.query("SELECT pg_current_wal_flush_lsn() > $1 AS flushed", [
      before.rows[0].at,
    ]);
    expect(after.rows[0].flushed).toBe(true);
  }
});

test.each(["repeatable read", "serializable"])(
  "the same where the database's default is %s",
  async (level) => {
    await withDefault("default_transaction_isolation", level);
    const { sql, faults } = await open();
    const positions = await Promise.all(Array.from({ length: 20 }, () => sql.write(nextPosition)));
    expect(new Set(positions).size).toBe(20);
    expect(await lastPosition(sql.db)).toBe(20n);
    expect(faults).toEqual([]);
  },
);

test("positions become visible in their order: a reader that sees one finds the changes of all before it", async () => {
  const { sql, schema } = await open();
  const other = (await open({ schema })).sql;
  let writing = true;
  const write = async (writer: Sql, name: string) => {
    for (let n = 0; n < 25; n += 1) {
      await writer.write(async (tx) => {
        const position = await nextPosition(tx);
        // Some are slower to commit than others.
        if (n % 3 === 0) await setTimeout(2);
        await tx
          .insertInto("operation_turns")
          .values({ actor_id: `${name}${n}`, taken_at: position })
          .execute();
      });
    }
  };
  const read = async () => {
    let looks = 0;
    while (writing) {
      const position = await lastPosition(sql.db);
      const { count } = await sql.db
        .selectFrom("operation_turns")
        .select(({ fn }) => fn.countAll<bigint>().as("count"))
        .where("taken_at", "<=", position)
        .executeTakeFirstOrThrow();
      expect(count).toBe(position);
      looks += 1;
    }
    return looks;
  };
  const writers = ["a", "b"].flatMap((name) => [write(sql, name), write(other, `other ${name}`)]);
  const written = Promise.all(writers).finally(() => {
    writing = false;
  });
  expect((await Promise.all([read(), written]))[0]).toBeGreaterThan(1);
  expect(await lastPosition(sql.db)).toBe(100n);
});

test("texts are ordered by their bytes, as on SQLite, whatever the database's own order is", async () => {
  const { sql, schema } = await open();
  const { rows } = await database.query(
    `SELECT DISTINCT collation_name FROM information_schema.columns
     WHERE table_schema = $1 AND data_type = 'text'`,
    [schema],
  );
  expect(rows).toEqual([{ collation_name: "C" }]);
  for (const key of ["a", "B", "_", "-", "1", "Z"]) await sql.write(addKey(key));
  expect(await keys(sql)).toEqual(["-", "1", "B", "Z", "_", "a"]);
});
