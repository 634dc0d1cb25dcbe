import { expect, test } from "vitest";
import { type as typeLine } from "../../cli/cli.fixture.ts";
import { createWalletKeypair } from "../../testing/wallet-keypair.ts";
import { openPostgresStore } from "../postgres.ts";
import { temporaryDatabase } from "./database.fixture.ts";
import { MIGRATIONS } from "./migrations.ts";

// What the commands do on PostgreSQL otherwise than on a file. The rest is the store's, which has the conformance suite.
const database = temporaryDatabase();
const SETTINGS = {
  AUTH_SECRET: "a secret of the tests that is long enough to be one",
  STELLAR_SIGNING_SEED: createWalletKeypair().seed,
};

test("a database that takes no writes is not ready, and the doctor says so", async () => {
  await typeLine("migrate", { DATABASE_URL: database.url });
  const url = `${database.url}?options=-c%20default_transaction_read_only%3Don`;
  const readOnly = openPostgresStore({ url });
  expect(await readOnly.countSessions(0)).toBe(0);
  await expect(readOnly.ping()).rejects.toThrow("read-only transaction");
  await readOnly.close();
  const env = { ...SETTINGS, DATABASE_URL: url, PUBLIC_URL: "http://localhost:65535" };
  const { code, out } = await typeLine("doctor", env);
  expect([code, out.find((line) => line.startsWith("fail  store"))]).toEqual([
    1,
    expect.stringContaining("read-only transaction"),
  ]);
  await database.query("DROP SCHEMA wallet_session CASCADE");
});

test("no command but migrate makes a schema: the others say what to run", async () => {
  const env = { ...SETTINGS, DATABASE_URL: database.url };
  const { code, notes } = await typeLine("sessions list --actor GA", env);
  expect([code, notes[0]]).toEqual([
    1,
    expect.stringMatching(/^The database has schema version 0, .* run npx wallet-session migrate\.$/),
  ]);
  const diagnosis = await typeLine("doctor", { ...env, PUBLIC_URL: "http://localhost:65535" });
  expect(diagnosis.out.find((line) => line.startsWith("warn  schema"))).toContain("version 0");
  expect((await typeLine("migrate --print", env)).out.join("\n")).toContain('CREATE SCHEMA "wallet_session"');
  expect((await typeLine("migrate", env)).out).toEqual([
    `The schema was made: version ${MIGRATIONS.length}.`,
  ]);
  expect((await typeLine("migrate", env)).out).toEqual([
    `The schema is up to date: version ${MIGRATIONS.length}.`,
  ]);
  expect(await typeLine("keys rotate", env)).toMatchObject({ code: 0, notes: [] });
  expect((await typeLine("keys list", env)).out).toHaveLength(3);
  expect((await typeLine("prune --json", env)).code).toBe(0);
  expect((await typeLine("sessions revoke --all --yes", env)).out).toEqual(["0 sessions ended."]);
});
