import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../../test/temporary-directory.ts";
import { atOnce, create, newSession } from "../../testing/store-conformance-fixtures.ts";
import { SESSION_COLUMNS } from "../sql/rows.ts";
import { openSqliteStore } from "../sqlite.ts";
import { openDatabase } from "./migrate.ts";
import { MIGRATIONS } from "./migrations.ts";
import { encodeSession } from "./rows.ts";
import { createSqliteStore } from "./store.ts";

const newPath = temporaryDirectory();

function pragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

test("makes the directory and all files for their owner alone", async () => {
  const path = newPath("deeper/sessions.db");
  const store = openSqliteStore({ path });
  await create(store, "a");
  expect(modeOf(dirname(path))).toBe("700");
  for (const suffix of ["", "-wal", "-shm"]) expect(modeOf(path + suffix)).toBe("600");
  await store.close();
});

test("is durable, checked and never waits inside SQLite", () => {
  const database = openDatabase(newPath("sessions.db"));
  const FULL = 2;
  expect(pragma(database, "journal_mode")).toBe("wal");
  expect(pragma(database, "synchronous")).toBe(FULL);
  expect(pragma(database, "foreign_keys")).toBe(1);
  expect(pragma(database, "trusted_schema")).toBe(0);
  expect(pragma(database, "busy_timeout")).toBe(0);
  database.close();
});

test("takes a path as a path, whatever it means to SQLite", async () => {
  const path = newPath(":memory:");
  const store = openSqliteStore({ path });
  const { id } = await create(store, "a");
  await store.close();
  const again = openSqliteStore({ path });
  expect(await again.findSession(id)).not.toBeNull();
  await again.close();
});

test("migrates once, and leaves a current schema as it is", () => {
  const path = newPath("sessions.db");
  const schema = (database: DatabaseSync) => database.prepare("SELECT sql FROM sqlite_schema").all();
  const first = openDatabase(path);
  expect(pragma(first, "user_version")).toBe(MIGRATIONS.length);
  const before = schema(first);
  first.close();
  const second = openDatabase(path);
  expect(schema(second)).toEqual(before);
  second.close();
});

test("a database of version 1 keeps its sessions, and its alarms are found from then on", async () => {
  const path = newPath("sessions.db");
  mkdirSync(dirname(path));
  const old = new DatabaseSync(path);
  old.exec(`${MIGRATIONS[0]}; PRAGMA user_version = 1`);
  const session = newSession("a", { actorId: "alice", revokedAt: 5, revokedReason: "reuse" });
  old
    .prepare(`INSERT INTO sessions (${SESSION_COLUMNS}, examine_at) VALUES (${"?, ".repeat(15)} 0)`)
    .run(...encodeSession(session));
  old.close();

  const database = openDatabase(path);
  expect(pragma(database, "user_version")).toBe(MIGRATIONS.length);
  const plan = database
    .prepare(
      "EXPLAIN QUERY PLAN SELECT id FROM sessions WHERE actor_id = ? AND revoked_reason = 'reuse' AND revoked_at > ?",
    )
    .all("alice", 0);
  expect(JSON.stringify(plan)).toContain("sessions_ended_by_reuse");
  const store = createSqliteStore(database);
  expect(await store.endedByReuse("alice", 0, 10)).toMatchObject([{ id: session.id, revokedAt: 5 }]);
  await store.close();
});

test("a migration that fails leaves the file as it was", () => {
  const path = newPath("sessions.db");
  mkdirSync(dirname(path));
  const foreign = new DatabaseSync(path);
  foreign.exec("CREATE TABLE signing_keys (theirs TEXT)");
  expect(() => openDatabase(path)).toThrow("signing_keys already exists");
  expect(pragma(foreign, "user_version")).toBe(0);
  expect(foreign.prepare("SELECT name FROM sqlite_schema").all()).toEqual([{ name: "signing_keys" }]);
  foreign.close();
});

test("refuses a schema that is newer than it knows", () => {
  const path = newPath("sessions.db");
  const database = openDatabase(path);
  database.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`);
  database.close();
  expect(() => openSqliteStore({ path })).toThrow(`schema version ${MIGRATIONS.length + 1}`);
});

test("refuses what is no database, and leaves it as it is", () => {
  const path = newPath("sessions.db");
  mkdirSync(path, { recursive: true });
  expect(() => openSqliteStore({ path })).toThrow("EISDIR");

  const text = newPath("sessions.db");
  mkdirSync(dirname(text));
  writeFileSync(text, "a letter to a friend\n".repeat(500));
  expect(() => openSqliteStore({ path: text })).toThrow("not a database");
  expect(readFileSync(text, "utf8")).toMatch(/^a letter to a friend\n/);
});

test("gives up on a file that another process holds beyond the last retry", () => {
  const path = newPath("sessions.db");
  mkdirSync(dirname(path));
  const other = new DatabaseSync(path);
  other.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  expect(() => openDatabase(path, 5)).toThrow("database is locked");
  other.close();
});

/** Opens, uses and closes 20 new databases, which its siblings open at the same moment. */
const OPEN_MANY = `
  const [sqlite, path] = process.argv.slice(1);
  const { openSqliteStore } = await import(sqlite);
  for (let index = 0; index < 20; index += 1) {
    const store = openSqliteStore({ path: path + index });
    await store.ping();
    await store.close();
  }
`;

test("several processes may open and migrate a new file at once", async () => {
  const path = newPath("sessions.db");
  const sqlite = import.meta.resolve("../sqlite.ts");
  const codes = await atOnce(4, async () => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", OPEN_MANY, sqlite, path]);
    const [code] = await once(child, "exit");
    return code;
  });
  expect(codes).toEqual([0, 0, 0, 0]);
});

test("a database that cannot be written rejects writes, and still answers reads", async () => {
  const database = openDatabase(newPath("sessions.db"));
  const store = createSqliteStore(database);
  const session = await create(store, "a");
  database.exec("PRAGMA query_only = ON");
  await expect(create(store, "b")).rejects.toThrow("readonly");
  await expect(store.revokeSession(session.id, { reason: "admin", revokedAt: 0 })).rejects.toThrow(
    "readonly",
  );
  await expect(
    store.prune({ now: 0, sessionsBefore: 0, revocationsBefore: 0, eventsBefore: 0, limit: 1 }),
  ).rejects.toThrow("readonly");
  await expect(store.ping()).rejects.toThrow("readonly");
  expect((await store.findSession(session.id))?.revokedAt).toBeNull();
  database.exec("PRAGMA query_only = OFF");
  await store.ping();
  await store.close();
});

test("a full database rejects every sign-in of the group, and keeps what it has", async () => {
  const database = openDatabase(newPath("sessions.db"));
  const store = createSqliteStore(database);
  const session = await create(store, "a");
  database.exec("PRAGMA max_page_count = 1");
  const results = await Promise.allSettled(
    Array.from({ length: 200 }, (_, index) => create(store, `more ${index}`)),
  );
  expect(new Set(results.map(({ status }) => status))).toEqual(new Set(["rejected"]));
  expect(await store.findSession(session.id)).toMatchObject({ id: session.id });
  database.exec("PRAGMA max_page_count = 1000000");
  // The same sessions and challenges: nothing of the failed group was kept.
  await atOnce(200, (index) => create(store, `more ${index}`));
  await store.close();
});

test("a damaged file rejects and never answers that there is no such session", async () => {
  const path = newPath("sessions.db");
  const first = openSqliteStore({ path });
  const sessions = await atOnce(200, (index) => create(first, `${index}`));
  await first.close();
  const database = openDatabase(path);
  const root = Number(
    database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'sessions'").get()?.rootpage,
  );
  database.close();
  writeSync(openSync(path, "r+"), Buffer.alloc(4096, 0xa5), 0, 4096, (root - 1) * 4096);

  const store = openSqliteStore({ path });
  const found = await Promise.allSettled(sessions.map(({ id }) => store.findSession(id)));
  expect(new Set(found.map(({ status }) => status))).toEqual(new Set(["rejected"]));
  await expect(create(store, "new")).rejects.toThrow("malformed");
  await store.close();
});

test("a row that this store would not write rejects, and the error tells nothing of it", async () => {
  const database = openDatabase(newPath("sessions.db"));
  const store = createSqliteStore(database);
  for (const damage of ['client = \'{"ip":"192.0.2.0\'', "client = 'null'", "revoked_reason = 'boredom'"]) {
    const { id } = await create(store, damage);
    database.prepare(`UPDATE sessions SET ${damage} WHERE id = ?`).run(Buffer.from(id, "base64url"));
    const expected = "A value in the database is not as this store writes it.";
    await expect(store.findSession(id)).rejects.toThrow(new Error(expected));
  }
  await store.close();
});
