import { mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../../test/temporary-directory.ts";
import { createGroupCommit, createSavepoint } from "./group-commit.ts";

const newPath = temporaryDirectory();

const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;

/** A table of notes, each at most once, and a group commit onto it. */
function open(busyRetries?: number) {
  const path = newPath("notes.db");
  mkdirSync(dirname(path));
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; CREATE TABLE notes (text TEXT NOT NULL UNIQUE)");
  const commits = createGroupCommit(database, busyRetries);
  const insert = database.prepare("INSERT INTO notes VALUES (?)");
  const notes = () =>
    database
      .prepare("SELECT text FROM notes ORDER BY rowid")
      .all()
      .map(({ text }) => text);
  const add = (text: string | null) => {
    insert.run(text);
    return text;
  };
  return {
    path,
    database,
    commits,
    notes,
    add,
    write: (text: string | null) => commits.submit(() => add(text)),
  };
}

/** Transactions in the write-ahead log: frames that carry the database size after a commit. */
function commitsIn(path: string): number {
  const log = readFileSync(`${path}-wal`);
  const frameBytes = 24 + log.readUInt32BE(8);
  let commits = 0;
  for (let frame = 32; frame < log.length; frame += frameBytes) {
    if (log.readUInt32BE(frame + 4) !== 0) commits += 1;
  }
  return commits;
}

test("steps asked for at the same moment share one transaction, in their order", async () => {
  const { path, notes, write } = open();
  const before = commitsIn(path);
  const texts = Array.from({ length: 32 }, (_, index) => `${index}`);
  expect(await Promise.all(texts.map(write))).toEqual(texts);
  expect(commitsIn(path)).toBe(before + 1);
  expect(notes()).toEqual(texts);
});

test("groups are bounded and strictly first in, first out", async () => {
  const { path, notes, write } = open();
  const before = commitsIn(path);
  const texts = Array.from({ length: 600 }, (_, index) => `${index}`);
  const settled: (string | null)[] = [];
  await Promise.all(texts.map((text) => write(text).then((answer) => settled.push(answer))));
  expect(commitsIn(path)).toBe(before + 3);
  expect(notes()).toEqual(texts);
  expect(settled).toEqual(texts);
});

test("nothing is answered before it is committed", async () => {
  const { path, write } = open();
  const other = new DatabaseSync(path);
  const count = other.prepare("SELECT count(*) AS n FROM notes WHERE text = ?");
  await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      await write(`${index}`);
      expect(count.get(`${index}`)).toEqual({ n: 1 });
    }),
  );
});

test("a step that breaks a constraint rejects alone", async () => {
  const { notes, write } = open();
  const results = await Promise.allSettled(["a", "a", null, "b"].map(write));
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
  expect(notes()).toEqual(["a", "b"]);
});

test("a step of several statements leaves nothing when one of them fails", async () => {
  const { database, commits, notes, add, write } = open();
  const atomically = createSavepoint(database);
  const addAll = (texts: readonly string[]) => atomically(() => texts.map(add));
  const addThenThrow = (text: string) =>
    atomically(() => {
      add(text);
      throw new RangeError("not of SQLite");
    });
  const results = await Promise.allSettled([
    write("a"),
    commits.submit(() => addAll(["b", "a"])),
    commits.submit(() => addThenThrow("c")),
    commits.submit(() => addAll(["d", "e"])),
  ]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
  expect(notes()).toEqual(["a", "d", "e"]);
});

test("when the commit itself fails, all of its group reject, nothing is written, and the next group works", async () => {
  const { database, notes, write } = open();
  // A deferred foreign key is checked at COMMIT and not before.
  database.exec(`
    PRAGMA foreign_keys = ON;
    CREATE TABLE owners (name TEXT PRIMARY KEY);
    CREATE TABLE owned (name TEXT REFERENCES owners DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER orphan AFTER INSERT ON notes WHEN new.text = 'orphan' BEGIN
      INSERT INTO owned VALUES ('nobody');
    END;
  `);
  const results = await Promise.allSettled(["a", "orphan", "b"].map(write));
  expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  expect(notes()).toEqual([]);
  expect(await write("c")).toBe("c");
  expect(notes()).toEqual(["c"]);
});

test("on a full disk all of the group reject, nothing is written, and with room again it goes on", async () => {
  const { database, notes, write } = open();
  await write("before");
  const pages = Number(database.prepare("PRAGMA page_count").get()?.page_count);
  database.exec(`PRAGMA max_page_count = ${pages + 1}`);
  const large = "x".repeat(100_000);
  const results = await Promise.allSettled(["a", large, "b"].map(write));
  for (const result of results) {
    expect(result).toMatchObject({ status: "rejected", reason: { errcode: SQLITE_FULL } });
  }
  expect(notes()).toEqual(["before"]);
  database.exec("PRAGMA max_page_count = 1000000");
  expect(await Promise.all([write("a"), write(large)])).toEqual(["a", large]);
});

test("a lock held elsewhere is waited for, without blocking the event loop", async () => {
  const { path, notes, write } = open();
  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE; INSERT INTO notes VALUES ('other')");
  const writing = Promise.all(["a", "b"].map(write));
  // Blocked inside SQLite, this process would never come to release the lock that it waits for itself.
  setTimeout(() => other.exec("COMMIT"), 20);
  expect(await writing).toEqual(["a", "b"]);
  expect(notes()).toEqual(["other", "a", "b"]);
});

test("a lock that is not released rejects after the last retry, and later steps go on", async () => {
  const { path, notes, write } = open(5);
  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  const results = await Promise.allSettled(["a", "b"].map(write));
  for (const result of results) {
    expect(result).toMatchObject({ status: "rejected", reason: { errcode: SQLITE_BUSY } });
  }
  other.exec("COMMIT");
  await write("c");
  expect(notes()).toEqual(["c"]);
});

test("drain waits for what is waiting", async () => {
  const { commits, notes, write } = open();
  await commits.drain();
  void write("a");
  await commits.drain();
  expect(notes()).toEqual(["a"]);
});
