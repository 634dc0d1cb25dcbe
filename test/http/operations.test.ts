// Long operations through the built app: they survive their tab, their token and their process, and stop when their session
// is ended.
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { appUnderTest } from "../support/app-under-test.ts";
import { withDatabase } from "../support/database.ts";
import { openEventStream } from "../support/event-stream.ts";
import { type Answer, problemOf, textOf } from "../support/http-client.ts";
import { bearer, newRetryKey, type Tokens } from "../support/session-client.ts";
import { settleMany } from "../support/settle-many.ts";
import { seedStreams, settlementsOf } from "../support/streams.ts";

const app = appUnderTest(() => ({ SETTLEMENTS_PER_SECOND: "40" }));
const POLL_MS = 50;
/** Its operation is not over before a test does something to it, also on a machine that stands still for seconds. */
const LONG = 400;
/** Its operation is over within seconds. */
const SHORT = 40;

/** Somebody who has signed in and has streams. */
async function personWith(streams: number) {
  const key = createWalletKeypair();
  const tokens = await app.client.signIn(key);
  return { key, tokens, ids: await seedStreams(app.server, key.account, streams) };
}

function settle(tokens: Tokens, stream_ids: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  return app.client.send("POST", "/api/operations", {
    body: { type: "settle_streams", stream_ids },
    headers: { ...bearer(tokens.accessToken), ...headers },
  });
}

async function accepted(tokens: Tokens, streamIds: unknown): Promise<string> {
  const answer = await settle(tokens, streamIds);
  expect(answer.status).toBe(202);
  return textOf(answer, "id");
}

const get = (tokens: Tokens, path: string) =>
  app.client.send("GET", path, { headers: bearer(tokens.accessToken) });
const post = (tokens: Tokens, path: string, headers: Record<string, string> = {}) =>
  app.client.send("POST", path, { headers: { ...bearer(tokens.accessToken), ...headers } });

/** Resolves with the operation once it is as wanted; the limit of time is the test's own. */
async function until(
  tokens: Tokens,
  id: string,
  wanted: (operation: Answer["json"]) => boolean,
): Promise<Answer["json"]> {
  for (;;) {
    const { json } = await get(tokens, `/api/operations/${id}`);
    if (wanted(json)) return json;
    await delay(POLL_MS);
  }
}

/** Cancels the operation. It has taken its steps in order, and each of them once. */
async function cancelsAndIsSound(tokens: Tokens, id: string, ids: readonly string[]): Promise<void> {
  await post(tokens, `/api/operations/${id}/cancel`);
  const { done } = await until(tokens, id, hasStatus("cancelled"));
  expect(Number(done)).toBeLessThan(LONG);
  expect(settlementsOf(app.server, id, ids)).toEqual(ids.map((_, number) => (number < Number(done) ? 1 : 0)));
}

const isDone = (count: number) => (operation: Answer["json"]) => Number(operation.done) >= count;
const hasStatus = (status: string) => (operation: Answer["json"]) => operation.status === status;

test("accepted at once, run by the server, watched by events, listed", async () => {
  const { tokens, ids } = await personWith(SHORT);
  const answer = await settle(tokens, ids);
  expect(answer.status).toBe(202);
  const id = textOf(answer, "id");
  expect(answer.headers.get("location")).toBe(`/api/operations/${id}`);
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(answer.json).toMatchObject({
    type: "settle_streams",
    status: "queued",
    pause_reason: null,
    session_id: tokens.sessionId,
    total: SHORT,
    done: 0,
    skipped: 0,
    settled_amount: "0.0000000",
    rate_per_second: null,
    finished_at: null,
    version: 1,
  });
  const events = await openEventStream(
    app.server,
    `/api/operations/${id}/events`,
    bearer(tokens.accessToken),
  );
  expect(await events.ended).toBe("closed");
  const states = events.events.filter(({ event }) => event === "operation.state");
  expect(states[0]?.data.status).toMatch(/^(queued|running)$/);
  expect(states.at(-1)?.data).toMatchObject({ status: "completed", done: SHORT, skipped: 0 });
  expect(states.map(({ id: version }) => Number(version))).toEqual(states.map(({ data }) => data.version));
  const { json } = await get(tokens, `/api/operations/${id}`);
  expect(json).toEqual(states.at(-1)?.data);
  expect((await get(tokens, "/api/operations")).json).toEqual({ operations: [json] });
  expect(settlementsOf(app.server, id, ids)).toEqual(ids.map(() => 1));
  // A client that comes back late gets the end of it.
  const late = await openEventStream(app.server, `/api/operations/${id}/events`, {
    ...bearer(tokens.accessToken),
    "Last-Event-ID": "3",
  });
  expect(await late.ended).toBe("closed");
  expect(late.events.at(-1)?.data).toEqual(json);
});

test("all: every stream that can be settled; none is a conflict", async () => {
  const { tokens, ids } = await personWith(5);
  const id = await accepted(tokens, "all");
  expect(await until(tokens, id, hasStatus("completed"))).toMatchObject({ total: 5, done: 5 });
  expect(settlementsOf(app.server, id, ids)).toEqual(ids.map(() => 1));
  const { tokens: newcomer } = await personWith(0);
  expect(problemOf(await settle(newcomer, "all"))).toBe("409 operation_state");
});

test("many streams are settled once each, while others go on refreshing their sessions", async () => {
  const { ids, id, operation, refreshes } = await settleMany(app, 60, ({ status }) => status === "completed");
  expect(operation).toMatchObject({ total: 60, done: 60, skipped: 0 });
  expect(settlementsOf(app.server, id, ids)).toEqual(ids.map(() => 1));
  expect(refreshes).toBeGreaterThan(0);
});

test("bad requests get their errors and change nothing", async () => {
  const { tokens, ids } = await personWith(2);
  const other = await personWith(1);
  const [id = ""] = ids;
  const send = (body: object | string, headers = {}) =>
    app.client.send("POST", "/api/operations", {
      body,
      headers: { ...bearer(tokens.accessToken), ...headers },
    });
  for (const stream_ids of [undefined, null, "some", [], {}, [1], [id, id], ["x"], Array(10_001).fill(id)]) {
    expect(problemOf(await send({ type: "settle_streams", stream_ids }))).toBe("400 invalid_request");
  }
  expect(problemOf(await send({ stream_ids: [id] }))).toBe("400 invalid_request");
  expect(problemOf(await send({ type: "pay", stream_ids: [id] }))).toBe("400 invalid_request");
  expect(problemOf(await send("type=settle_streams"))).toBe("415 unsupported_media_type");
  expect(problemOf(await send(" ".repeat(600_000), { "Content-Type": "application/json" }))).toBe(
    "413 body_too_large",
  );
  expect(
    problemOf(await send({ type: "settle_streams", stream_ids: [id] }, { "Idempotency-Key": "short" })),
  ).toBe("400 invalid_request");
  expect(problemOf(await settle(tokens, ["A".repeat(22)]))).toBe("404 not_found");
  expect(problemOf(await settle(tokens, [id, ...other.ids]))).toBe("404 not_found");
  expect(problemOf(await app.client.send("POST", "/api/operations", { body: {} }))).toBe(
    "401 access_token_missing",
  );
  expect((await get(tokens, "/api/operations")).json).toEqual({ operations: [] });
});

test("an operation is its owner's alone", async () => {
  const owner = await personWith(1);
  const stranger = await personWith(0);
  const id = await accepted(owner.tokens, owner.ids);
  const path = `/api/operations/${id}`;
  expect(problemOf(await get(stranger.tokens, path))).toBe("404 not_found");
  expect(problemOf(await get(stranger.tokens, `${path}/events`))).toBe("404 not_found");
  expect(problemOf(await post(stranger.tokens, `${path}/resume`))).toBe("404 not_found");
  expect(problemOf(await post(stranger.tokens, `${path}/cancel`))).toBe("404 not_found");
  expect(problemOf(await app.client.send("GET", path))).toBe("401 access_token_missing");
  expect(await until(owner.tokens, id, hasStatus("completed"))).toMatchObject({ done: 1 });
  expect(problemOf(await post(owner.tokens, `${path}/resume`))).toBe("409 operation_state");
  expect(problemOf(await post(owner.tokens, `${path}/cancel`))).toBe("409 operation_state");
});

test("the same key is the same operation; for other streams it is refused", async () => {
  const { tokens, ids } = await personWith(2);
  const key = { "Idempotency-Key": newRetryKey() };
  const [first, second] = await Promise.all([settle(tokens, ids, key), settle(tokens, ids, key)]);
  expect(first.status).toBe(202);
  expect(second.text).toBe(first.text);
  expect(second.headers.get("location")).toBe(first.headers.get("location"));
  expect(problemOf(await settle(tokens, "all", key))).toBe("422 idempotency_mismatch");
  expect((await get(tokens, "/api/operations")).json.operations).toHaveLength(1);
});

test("a cancelled operation takes no further step", async () => {
  const { tokens, ids } = await personWith(LONG);
  const id = await accepted(tokens, ids);
  await until(tokens, id, isDone(3));
  const cancelled = await post(tokens, `/api/operations/${id}/cancel`);
  expect(cancelled.json).toMatchObject({ status: "cancelled" });
  expect((await post(tokens, `/api/operations/${id}/cancel`)).json).toMatchObject({ status: "cancelled" });
  expect(problemOf(await post(tokens, `/api/operations/${id}/resume`))).toBe("409 operation_state");
  const other = await accepted(tokens, ids.slice(-1));
  await until(tokens, other, hasStatus("completed"));
  const { done } = await until(tokens, id, hasStatus("cancelled"));
  expect(Number(done)).toBeLessThan(LONG);
  const times = settlementsOf(app.server, id, ids);
  expect(times).toEqual(ids.map((_, number) => (number < Number(done) ? 1 : 0)));
});

describe("the session of an operation", () => {
  test("that is ended pauses it; only a newer signature resumes it", async () => {
    const { key, tokens, ids } = await personWith(LONG);
    const id = await accepted(tokens, ids);
    const before = await app.client.signIn(key);
    await until(before, id, isDone(3));
    await app.client.send("DELETE", `/api/auth/sessions/${tokens.sessionId}`, {
      headers: bearer(before.accessToken),
    });
    const paused = await until(before, id, hasStatus("paused"));
    expect(paused).toMatchObject({ pause_reason: "session_revoked", rate_per_second: null });
    expect(Number(paused.done)).toBeLessThan(LONG);
    const resume = `/api/operations/${id}/resume`;
    expect(problemOf(await post(before, resume))).toBe("409 signature_required");
    const after = await app.client.signIn(key);
    const retryKey = { "Idempotency-Key": newRetryKey() };
    const resumed = await post(after, resume, retryKey);
    expect(resumed.json).toMatchObject({ status: "queued", session_id: after.sessionId, pause_reason: null });
    expect((await post(after, resume, retryKey)).text).toBe(resumed.text);
    await until(after, id, isDone(Number(paused.done) + 3));
    await cancelsAndIsSound(after, id, ids);
  });

  test("that a thief has used pauses it, and says so", async () => {
    const { key, tokens, ids } = await personWith(LONG);
    const id = await accepted(tokens, ids);
    const watcher = await app.client.signIn(key);
    await until(watcher, id, isDone(1));
    await app.client.rotated(tokens.refreshToken);
    expect(problemOf(await app.client.refresh(tokens.refreshToken))).toBe("401 refresh_token_reused");
    expect(await until(watcher, id, hasStatus("paused"))).toMatchObject({ pause_reason: "reuse_detected" });
    expect((await post(watcher, `/api/operations/${id}/cancel`)).json).toMatchObject({ status: "cancelled" });
  });

  test("may run out meanwhile", async () => {
    const { key, tokens, ids } = await personWith(SHORT);
    const id = await accepted(tokens, ids);
    withDatabase(app.server, (database) =>
      database
        .prepare("UPDATE sessions SET idle_expires_at = 1, expires_at = 1 WHERE id = ?")
        .run(Buffer.from(tokens.sessionId, "base64url")),
    );
    const later = await app.client.signIn(key);
    expect(await until(later, id, hasStatus("completed"))).toMatchObject({
      done: SHORT,
      pause_reason: null,
    });
  });
});

test("kill -9 in the middle: no step is lost and none is taken twice", async () => {
  const { tokens, ids } = await personWith(LONG);
  const id = await accepted(tokens, ids);
  const { done } = await until(tokens, id, isDone(10));
  await app.server.restart("SIGKILL");
  await until(tokens, id, isDone(Number(done) + 10));
  await cancelsAndIsSound(tokens, id, ids);
});

test("a stop gives the operation back, so that it goes on at once", async () => {
  const { tokens, ids } = await personWith(LONG);
  const id = await accepted(tokens, ids);
  await until(tokens, id, isDone(5));
  await app.server.kill("SIGTERM");
  const row = withDatabase(app.server, (database) =>
    database.prepare("SELECT status, claim, claimed_until, done FROM operations WHERE id = ?").get(id),
  );
  expect(row).toMatchObject({ status: "running", claim: null, claimed_until: 0 });
  await app.server.start();
  await until(tokens, id, isDone(Number(row?.done) + 5));
  await cancelsAndIsSound(tokens, id, ids);
});
