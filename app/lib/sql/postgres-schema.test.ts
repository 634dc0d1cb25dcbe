import { expect, onTestFinished, test } from "vitest";
import { temporaryDatabase } from "../../../packages/wallet-session/src/stores/postgres/database.fixture.ts";
import { EARLIER_DATABASE, openerOf } from "./databases.fixture.ts";
import { MIGRATIONS } from "./migrations.ts";
import { lastPosition, nextPosition } from "./positions.ts";

const database = temporaryDatabase();
const open = openerOf(database);

test("of 8 processes that start at once on an empty database, all work", async () => {
  const schema = database.newSchema();
  const all = await Promise.all(Array.from({ length: 8 }, () => open({ schema })));
  const positions = await Promise.all(all.map(({ sql }) => sql.write(nextPosition)));
  expect(positions.sort()).toEqual([1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n]);
  const { rows } = await database.query(`SELECT name FROM ${schema}.app_migrations ORDER BY name`);
  expect(rows.map(({ name }) => name)).toEqual(Object.keys(MIGRATIONS));
});

test("of 4 that find the schema of the earlier migrator, one brings it up to date, with what is in it", async () => {
  const schema = database.newSchema();
  await database.query(
    `CREATE SCHEMA ${schema}; SET search_path TO ${schema}; ${EARLIER_DATABASE}; RESET search_path`,
  );
  await expect(open({ schema, mayMigrate: false })).rejects.toThrow(/lacks 0006-settlement-refusals:/);
  for (const { sql } of await Promise.all([1, 2, 3, 4].map(() => open({ schema })))) {
    const names = await sql.db.selectFrom("app_migrations").select("name").orderBy("name").execute();
    expect(names.map(({ name }) => name)).toEqual(Object.keys(MIGRATIONS));
    expect(await sql.db.selectFrom("streams").select("title").execute()).toEqual([{ title: "old" }]);
    expect(await lastPosition(sql.db)).toBe(2n);
  }
});

test("a migration that this version does not know keeps it shut", async () => {
  const { sql, schema } = await open();
  await sql.write((tx) =>
    tx
      .insertInto("app_migrations")
      .values({ name: "9999-later", timestamp: "2030-01-01T00:00:00.000Z" })
      .execute(),
  );
  await expect(open({ schema })).rejects.toThrow("been through 9999-later: its schema is newer");
});

test("with migrations left to somebody else, an older schema keeps it shut, and the present one does not", async () => {
  const schema = database.newSchema();
  await expect(open({ schema, mayMigrate: false })).rejects.toThrow(
    /lacks 0001-positions, .*: start one process with DATABASE_MIGRATE=on/,
  );
  const { rows } = await database.query("SELECT 1 FROM pg_namespace WHERE nspname = $1", [schema]);
  expect(rows).toEqual([]);
  await open({ schema });
  expect(await (await open({ schema, mayMigrate: false })).sql.write(nextPosition)).toBe(1n);
});

test("a migration that fails leaves nothing behind, and says why", async () => {
  const schema = database.newSchema();
  await database.query(`CREATE SCHEMA ${schema}`);
  await database.query(`CREATE TABLE ${schema}.operation_turns (mine text)`);
  await expect(open({ schema })).rejects.toThrow('relation "operation_turns" already exists');
  const { rows } = await database.query("SELECT tablename FROM pg_tables WHERE schemaname = $1", [schema]);
  expect(rows).toEqual([{ tablename: "operation_turns" }]);
});

test("a role that may make nothing works in a schema that was made and migrated for it", async () => {
  const schema = database.newSchema();
  const role = `role_${database.name}`;
  await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'a password'`);
  onTestFinished(async () => {
    await database.query(`DROP SCHEMA ${schema} CASCADE`);
    await database.query(`DROP ROLE ${role}`);
  });
  await database.query(`CREATE SCHEMA ${schema} AUTHORIZATION ${role}`);
  const url = Object.assign(new URL(database.url), { username: role, password: "a password" }).href;
  expect(await (await open({ url, schema })).sql.write(nextPosition)).toBe(1n);
  await database.query(`ALTER SCHEMA ${schema} OWNER TO CURRENT_USER`);
  await database.query(`GRANT USAGE ON SCHEMA ${schema} TO ${role}`);
  expect(await (await open({ url, schema })).sql.write(nextPosition)).toBe(2n);
  await expect(open({ url })).rejects.toMatchObject({
    cause: { message: expect.stringContaining("permission denied") },
  });
});

test("a database that is not there is said", async () => {
  const url = Object.assign(new URL(database.url), { pathname: "/no_such_database" }).href;
  await expect(open({ url })).rejects.toMatchObject({
    code: "store_unavailable",
    cause: { message: 'database "no_such_database" does not exist' },
  });
});
