import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test, vi } from "vitest";
import { temporaryDirectory } from "../../test/temporary-directory.ts";
import { migrateSqlite, openSqliteStore, schemaOfSqlite } from "../stores/sqlite.ts";
import { failsAlone, whenFree } from "./sqlite.ts";

const newPath = temporaryDirectory();

function open() {
  const path = newPath("notes.db");
  mkdirSync(dirname(path));
  const database = new DatabaseSync(path);
  database.exec("CREATE TABLE notes (text TEXT NOT NULL); INSERT INTO notes VALUES ('a')");
  const other = new DatabaseSync(path);
  return { database, other, read: () => database.prepare("SELECT text FROM notes").all() };
}

function thrownBy(action: () => void): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

test("a read of a locked database is tried again until the lock is gone, without blocking", async () => {
  const { other, read } = open();
  other.exec("BEGIN EXCLUSIVE");
  expect(read).toThrow("database is locked");
  const reading = whenFree(read);
  setTimeout(() => other.exec("COMMIT"), 20);
  expect(await reading).toEqual([{ text: "a" }]);
});

test("a read that fails for another reason rejects at once", async () => {
  const { database } = open();
  let tries = 0;
  const read = () => {
    tries += 1;
    return database.prepare("SELECT title FROM notes").all();
  };
  await expect(whenFree(read)).rejects.toThrow("no such column");
  expect(tries).toBe(1);
});

test("a broken constraint and a value of no SQL type fail alone; a fault of the database does not", () => {
  const { database } = open();
  const insert = database.prepare("INSERT INTO notes VALUES (?)");
  expect(failsAlone(thrownBy(() => insert.run(null)))).toBe(true);
  expect(failsAlone(new TypeError("not of SQLite"))).toBe(true);
  database.exec("PRAGMA query_only = ON");
  expect(failsAlone(thrownBy(() => insert.run("b")))).toBe(false);
});

test("a Node without SQLite is named, and the one that is needed", async () => {
  const path = newPath("sessions.db");
  migrateSqlite({ path });
  vi.spyOn(process, "getBuiltinModule").mockReturnValue(undefined);
  onTestFinished(() => void vi.restoreAllMocks());
  const why = `SQLite needs Node 22.13 or newer, and this is ${process.version}`;
  expect(() => openSqliteStore({ path })).toThrow(why);
  expect(() => schemaOfSqlite({ path })).toThrow(why);
});
