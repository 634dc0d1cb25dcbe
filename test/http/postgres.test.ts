// Two processes of the app on one PostgreSQL, as on two machines behind a load balancer.
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { temporaryDatabase } from "../../packages/wallet-session/src/stores/postgres/database.fixture.ts";
import { type AppServer, startApp, startAppToItsEnd } from "../support/app-server.ts";
import { problemOf } from "../support/http-client.ts";
import { createClient, newRetryKey, type SessionClient, tokensOf } from "../support/session-client.ts";
import { createWitness } from "../support/witness.ts";

const PUBLIC_URL = "http://localhost:3000";
/** The other process looks once a second; the rest is for a busy machine. */
const SEEN_WITHIN_MS = 5_000;
const PASSWORD = "a-password-that-nobody-may-read";

const database = temporaryDatabase();
const untouched = temporaryDatabase();
const witness = createWitness();
let one: AppServer;
let other: AppServer;
let here: SessionClient;
let there: SessionClient;

beforeAll(async () => {
  // The server of the tests asks for no password; the app must keep it to itself all the same.
  const DATABASE_URL = Object.assign(new URL(database.url), { password: PASSWORD }).href;
  const settings = { PUBLIC_URL, DATABASE_URL, STREAMS_DATABASE_URL: "memory:" };
  one = await startApp(settings);
  other = await startApp(settings, one);
  here = createClient(one, witness);
  there = createClient(other, witness);
});

afterAll(async () => {
  await other?.stop();
  await one?.stop();
  expect(`${one.output()}${other.output()}`).not.toContain(PASSWORD);
});

test("a session signed in here is renewed there, retried here and read by both", async () => {
  const first = await here.signIn();
  const retryKey = newRetryKey();
  const second = tokensOf(await there.refresh(first.refreshToken, retryKey));
  expect(tokensOf(await here.refresh(first.refreshToken, retryKey)).refreshToken).toBe(second.refreshToken);
  for (const client of [here, there]) expect((await client.session(second.accessToken)).status).toBe(200);
});

test("a process that is killed leaves its sessions to the other, and finds them when it comes back", async () => {
  const first = await here.signIn();
  await one.kill("SIGKILL");
  const second = await there.rotated(first.refreshToken);
  await one.start();
  const third = await here.rotated(second.refreshToken);
  expect(problemOf(await there.refresh(second.refreshToken))).toBe("401 refresh_token_reused");
  expect(problemOf(await here.refresh(third.refreshToken))).toBe("401 refresh_token_revoked");
});

test("a database whose connections are all cut signs nobody out", async () => {
  let { refreshToken } = await here.signIn();
  for (let round = 0; round < 5; round += 1) {
    await database.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()",
      [database.name],
    );
    const retryKey = newRetryKey();
    await vi.waitFor(async () => {
      const answer = await there.refresh(refreshToken, retryKey);
      if (answer.status !== 503) refreshToken = tokensOf(answer).refreshToken;
      expect(answer.status).toBe(200);
    }, SEEN_WITHIN_MS);
  }
});

test("a schema that waiting does not bring up to date is said in a sentence, and ends the process", async () => {
  const settings = {
    AUTH_SECRET: one.settings.AUTH_SECRET ?? "",
    STELLAR_SIGNING_SEED: createWalletKeypair().seed,
    DATABASE_MIGRATE: "off",
  };
  const sessions = await startAppToItsEnd({ ...settings, DATABASE_URL: untouched.url });
  expect(sessions.code).toBe(1);
  expect(sessions.output).toMatch(/^The server cannot start: .* npx wallet-session migrate\.$/m);
  const streams = { DATABASE_URL: "memory:", STREAMS_DATABASE_URL: untouched.url };
  const { code, output } = await startAppToItsEnd({ ...settings, ...streams });
  expect(code).toBe(1);
  expect(output).toMatch(/^The server cannot start: .* DATABASE_MIGRATE=on/m);
});
