import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { MIGRATIONS } from "../stores/sqlite/migrations.ts";
import { storeInFile, type } from "./cli.fixture.ts";

const KNOWN = MIGRATIONS.length;

/** A database as an older version of the package left it. */
function olderDatabase(version: number) {
  const { path } = storeInFile();
  const file = `${path}.older`;
  const database = new DatabaseSync(file);
  for (const statements of MIGRATIONS.slice(0, version)) database.exec(statements);
  database.exec(`PRAGMA user_version = ${version}`);
  database.close();
  return { env: { DATABASE_URL: `sqlite:${file}` }, file };
}

test("brings an older schema up to date, and says from where to where", async () => {
  const { env } = olderDatabase(1);
  expect((await type("migrate", env)).out).toEqual([`The schema was brought from version 1 to ${KNOWN}.`]);
  expect((await type("migrate", env)).out).toEqual([`The schema is up to date: version ${KNOWN}.`]);
  expect((await type("migrate --json", env)).out).toEqual([`{"from":${KNOWN},"to":${KNOWN}}`]);
});

test("makes a database where there is none", async () => {
  const { path } = storeInFile();
  const env = { DATABASE_URL: `sqlite:${path}.new` };
  expect((await type("migrate", env)).out).toEqual([`The schema was made: version ${KNOWN}.`]);
});

test("--print shows the SQL and changes nothing", async () => {
  const { env } = olderDatabase(1);
  const { out } = await type("migrate --print", env);
  expect(out[0]).toBe("-- To version 2.");
  expect(out.filter((line) => line.startsWith("-- To version"))).toHaveLength(KNOWN - 1);
  const json = JSON.parse((await type("migrate --print --json", env)).out.join(""));
  expect(json).toEqual({ from: 1, to: KNOWN, sql: MIGRATIONS.slice(1) });
  expect((await type("migrate", env)).out[0]).toContain("from version 1");
  expect((await type("migrate --print", env)).out).toEqual([
    `-- The schema is up to date: version ${KNOWN}.`,
  ]);
});

test("leaves a newer schema alone", async () => {
  const { env, file } = olderDatabase(1);
  const database = new DatabaseSync(file);
  database.exec(`PRAGMA user_version = ${KNOWN + 1}`);
  database.close();
  const { code, notes } = await type("migrate", env);
  expect([code, notes]).toEqual([
    1,
    [
      `The schema has version ${KNOWN + 1}, and this version of wallet-session knows ${KNOWN}. Nothing was changed.`,
    ],
  ]);
});

test("what has no schema needs nothing", async () => {
  const env = { DATABASE_URL: "redis://127.0.0.1:1" };
  expect((await type("migrate", env)).out).toEqual(["redis has no schema: nothing to do."]);
  expect((await type("migrate --json", env)).out).toEqual(['{"from":null,"to":null}']);
});
