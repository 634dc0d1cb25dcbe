// Two processes of the app on one Redis, as on two machines behind a load balancer. It is a server of the test's own: it is
// stopped, killed and started again.
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import {
  type OwnServer,
  startOwnServer,
} from "../../packages/wallet-session/src/stores/redis/own-server.fixture.ts";
import { type AppServer, builtApp, type Settings, startApp, startServer } from "../support/app-server.ts";
import { problemOf, textOf } from "../support/http-client.ts";
import {
  bearer,
  createClient,
  newRetryKey,
  type SessionClient,
  tokensOf,
} from "../support/session-client.ts";
import { createWitness } from "../support/witness.ts";

const PUBLIC_URL = "http://localhost:3000";
const RECOVERS_WITHIN = { timeout: 5_000, interval: 50 };
const RECIPIENT = createWalletKeypair().account;
const PASSWORD = "a-password-that-nobody-may-read";

const witness = createWitness();
let redis: OwnServer;
let settings: Settings;
let one: AppServer;
let other: AppServer;
let here: SessionClient;
let there: SessionClient;

beforeAll(async () => {
  redis = await startOwnServer("--appendonly", "yes", "--appendfsync", "always");
  // The server of the tests asks for no password; the app must keep it to itself all the same.
  const DATABASE_URL = Object.assign(new URL(redis.url), { password: PASSWORD }).href;
  settings = { PUBLIC_URL, DATABASE_URL, STREAMS_DATABASE_URL: "memory:" };
  one = await startApp(settings);
  other = await startApp(settings, one);
  here = createClient(one, witness);
  there = createClient(other, witness);
});

afterAll(async () => {
  await other?.stop();
  await one?.stop();
  await redis?.end();
  expect(`${one?.output()}${other?.output()}`).not.toContain(PASSWORD);
});

test("a session signed in here is renewed there, retried here and read by both", async () => {
  const first = await here.signIn();
  const retryKey = newRetryKey();
  const second = tokensOf(await there.refresh(first.refreshToken, retryKey));
  expect(tokensOf(await here.refresh(first.refreshToken, retryKey)).refreshToken).toBe(second.refreshToken);
  for (const client of [here, there]) expect((await client.session(second.accessToken)).status).toBe(200);
});

test("a Redis that stands still is a 503 with Retry-After; all goes on with it", async () => {
  const { refreshToken } = await here.signIn();
  const retryKey = newRetryKey();
  redis.signal("SIGSTOP");
  try {
    const answer = await here.refresh(refreshToken, retryKey);
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).not.toBeNull();
  } finally {
    redis.signal("SIGCONT");
  }
  await vi.waitFor(
    async () => expect((await there.refresh(refreshToken, retryKey)).status).toBe(200),
    RECOVERS_WITHIN,
  );
});

test("a Redis that is killed and comes back signs nobody out", async () => {
  let { refreshToken } = await here.signIn();
  for (let round = 0; round < 2; round += 1) {
    await redis.kill();
    const retryKey = newRetryKey();
    expect((await there.refresh(refreshToken, retryKey)).status).toBe(503);
    await redis.start();
    await vi.waitFor(async () => {
      const answer = await there.refresh(refreshToken, retryKey);
      expect(answer.status).toBe(200);
      refreshToken = tokensOf(answer).refreshToken;
    }, RECOVERS_WITHIN);
  }
});

test("a process that starts while Redis is away answers 503, and all works by itself once it is there", async () => {
  await redis.kill();
  const late = await startServer({ ...builtApp(), readyPath: "/api/healthz" }, settings, one);
  onTestFinished(() => late.stop());
  const client = createClient(late, witness);
  try {
    const refused = await client.send("GET", "/api/readyz");
    expect(problemOf(refused)).toBe("503 store_unavailable");
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    await vi.waitFor(() => expect(late.output()).toMatch(/^The store fails, .* 503: /m), 10_000);
    // Waiting is no reason not to stop.
    expect(await late.kill("SIGTERM")).toEqual({ code: 143, signal: null });
    await late.start();
  } finally {
    await redis.start();
  }
  await vi.waitFor(
    async () => expect((await client.send("GET", "/api/readyz")).status).toBe(200),
    RECOVERS_WITHIN,
  );
  const tokens = await client.signIn();
  const headers = bearer(tokens.accessToken);
  const wish = { recipient: RECIPIENT, deposit: "100", duration_seconds: 36_000, start: true };
  const made = await client.send("POST", "/api/streams", { headers, body: wish });
  const settle = { type: "settle_streams", stream_ids: [textOf(made, "id")] };
  const begun = await client.send("POST", "/api/operations", { headers, body: settle });
  await vi.waitFor(async () => {
    const operation = await client.send("GET", `/api/operations/${textOf(begun, "id")}`, { headers });
    expect(operation.json.status).toBe("completed");
  }, RECOVERS_WITHIN);
  expect(late.output()).not.toContain(PASSWORD);
});
