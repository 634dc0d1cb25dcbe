// Streams and operations of two processes of the app on one PostgreSQL, as on two machines behind a load balancer.
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { temporaryDatabase } from "../../packages/wallet-session/src/stores/postgres/database.fixture.ts";
import { type AppServer, startApp } from "../support/app-server.ts";
import { openEventStream } from "../support/event-stream.ts";
import { type Answer, problemOf, textOf } from "../support/http-client.ts";
import {
  bearer,
  createClient,
  newRetryKey,
  type SessionClient,
  type Tokens,
} from "../support/session-client.ts";
import { seedStreamsAt } from "../support/streams.ts";
import { createWitness } from "../support/witness.ts";

const PUBLIC_URL = "http://localhost:3000";
const POLL_MS = 50;
const WISH = {
  recipient: createWalletKeypair().account,
  deposit: "100",
  duration_seconds: 36_000,
  start: true,
};

const database = temporaryDatabase();
const witness = createWitness();
let one: AppServer;
let other: AppServer;
let here: SessionClient;
let there: SessionClient;

beforeAll(async () => {
  const settings = { PUBLIC_URL, DATABASE_URL: database.url, SETTLEMENTS_PER_SECOND: "40" };
  one = await startApp(settings);
  other = await startApp(settings, one);
  here = createClient(one, witness);
  there = createClient(other, witness);
});

afterAll(async () => {
  await other?.stop();
  await one?.stop();
});

function post(at: SessionClient, tokens: Tokens, path: string, body?: object, key?: string): Promise<Answer> {
  const headers = { ...bearer(tokens.accessToken), ...(key !== undefined && { "Idempotency-Key": key }) };
  return at.send("POST", path, { headers, ...(body !== undefined && { body }) });
}

/** Somebody who has signed in and has streams that have earned something. */
async function personWith(streams: number) {
  const key = createWalletKeypair();
  const tokens = await here.signIn(key);
  return { tokens, ids: await seedStreamsAt({ kind: "postgres", url: database.url }, key.account, streams) };
}

/** Resolves with the operation once it is as wanted; the limit of time is the test's own. */
async function until(tokens: Tokens, id: string, wanted: (operation: Answer["json"]) => boolean) {
  for (;;) {
    const { json } = await there.send("GET", `/api/operations/${id}`, {
      headers: bearer(tokens.accessToken),
    });
    if (wanted(json)) return json;
    await delay(POLL_MS);
  }
}

/** How often each stream was settled by the operation, and with which sum. */
async function settledBy(operationId: string) {
  const { rows } = await database.query(
    `SELECT stream_id, count(*)::int AS times, sum(amount)::text AS amount FROM streampay.stream_history
     WHERE operation_id = $1 AND type = 'settled' GROUP BY stream_id`,
    [operationId],
  );
  return rows;
}

test("a stream made here is read there, and its feed there tells what becomes of it here", async () => {
  const tokens = await here.signIn();
  const id = textOf(await post(here, tokens, "/api/streams", WISH), "id");
  const events = await openEventStream(other, "/api/events", bearer(tokens.accessToken));
  await expect.poll(() => events.status).toBe(200);
  const paused = await post(here, tokens, `/api/streams/${id}/pause`);
  expect(paused.json).toMatchObject({ status: "paused", version: 2 });
  expect(await events.next()).toMatchObject({
    event: "stream.state",
    data: { id, status: "paused", version: 2 },
  });
  events.leave();
  const seen = await there.send("GET", `/api/streams/${id}`, { headers: bearer(tokens.accessToken) });
  expect(seen.json).toMatchObject({ id, status: "paused", version: 2 });
});

test("one key over both at the same moment: one stream, one operation, all answered alike", async () => {
  const { tokens } = await personWith(1);
  const onBoth = (path: string, body: object | undefined, key: string) =>
    Promise.all(
      Array.from({ length: 8 }, (_, n) => post(n % 2 === 0 ? here : there, tokens, path, body, key)),
    );
  const made = await onBoth("/api/streams", WISH, newRetryKey());
  expect(new Set(made.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  expect(made[0]?.status).toBe(201);
  const id = String(made[0]?.json.id);
  const cancelled = await onBoth(`/api/streams/${id}/cancel`, undefined, newRetryKey());
  expect(new Set(cancelled.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  expect(cancelled[0]?.json).toMatchObject({ status: "cancelled" });
  const settle = { type: "settle_streams", stream_ids: "all" };
  const begun = await onBoth("/api/operations", settle, newRetryKey());
  expect(new Set(begun.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  expect(begun[0]?.status).toBe(202);
  await until(tokens, String(begun[0]?.json.id), ({ status }) => status === "completed");
});

test("an account has no more operations on two processes than on one", async () => {
  // So many that none is over before the last of them has asked, however long that takes.
  const { tokens, ids } = await personWith(400);
  const body = { type: "settle_streams", stream_ids: ids };
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, n) => post(n % 2 === 0 ? here : there, tokens, "/api/operations", body)),
  );
  expect(answers.filter(({ status }) => status === 202)).toHaveLength(4);
  for (const refused of answers.filter(({ status }) => status !== 202)) {
    expect(problemOf(refused)).toBe("409 operation_state");
  }
  const begun = answers.filter(({ status }) => status === 202).map((answer) => textOf(answer, "id"));
  for (const id of begun) await post(there, tokens, `/api/operations/${id}/cancel`);
});

test("an operation goes on there when the process that ran it is killed here, and each stream is settled once", async () => {
  const { tokens, ids } = await personWith(80);
  const id = textOf(
    await post(here, tokens, "/api/operations", { type: "settle_streams", stream_ids: ids }),
    "id",
  );
  await until(tokens, id, ({ done }) => Number(done) >= 10);
  await one.kill("SIGKILL");
  const done = await until(tokens, id, ({ status }) => status === "completed");
  expect(done).toMatchObject({ done: 80, skipped: 0 });
  const settled = await settledBy(id);
  expect(settled.map(({ stream_id, times }) => `${stream_id} ${times}`).sort()).toEqual(
    ids.map((stream) => `${stream} 1`).sort(),
  );
  const sum = settled.reduce((total, { amount }) => total + BigInt(amount), 0n);
  expect(String(done.settled_amount).replace(".", "")).toBe(String(sum));
  await one.start();
});
