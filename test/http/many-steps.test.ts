// Operations of 1,000 and of 10,000 streams, while others go on refreshing their sessions on the same database.
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { appUnderTest } from "../support/app-under-test.ts";
import { type Answer, textOf } from "../support/http-client.ts";
import { bearer } from "../support/session-client.ts";
import { seedStreams, settlementsOf } from "../support/streams.ts";

const app = appUnderTest(() => ({ SETTLEMENTS_PER_SECOND: "1000", LOG_LEVEL: "warn" }));
const POLL_MS = 100;

/** Accepts an operation of so many streams, and refreshes another session without a pause until `over`. */
async function settleMany(count: number, over: (operation: Answer["json"]) => boolean) {
  const key = createWalletKeypair();
  const [tokens, other] = [await app.client.signIn(key), await app.client.signIn()];
  const headers = bearer(tokens.accessToken);
  const ids = await seedStreams(app.server, key.account, count);
  let running = true;
  let refreshes = 0;
  const refreshing = (async () => {
    for (let last = other; running; refreshes += 1) last = await app.client.rotated(last.refreshToken);
  })();
  const body = { type: "settle_streams", stream_ids: ids };
  const answer = await app.client.send("POST", "/api/operations", { body, headers });
  expect(answer.status).toBe(202);
  const path = `/api/operations/${textOf(answer, "id")}`;
  let operation = answer.json;
  while (!over(operation)) {
    await delay(POLL_MS);
    operation = (await app.client.send("GET", path, { headers })).json;
  }
  running = false;
  await refreshing;
  return { ids, path, headers, operation, refreshes, id: textOf(answer, "id") };
}

test("1,000 streams, to the end", async () => {
  const { ids, id, operation, refreshes } = await settleMany(1_000, ({ status }) => status === "completed");
  expect(operation).toMatchObject({ total: 1_000, done: 1_000, skipped: 0 });
  expect(settlementsOf(app.server, id, ids)).toEqual(ids.map(() => 1));
  expect(refreshes).toBeGreaterThan(0);
}, 240_000);

test("10,000 streams are accepted, begun and cancelled", async () => {
  const many = await settleMany(10_000, ({ done }) => Number(done) >= 500);
  expect(many.refreshes).toBeGreaterThan(0);
  const { json } = await app.client.send("POST", `${many.path}/cancel`, { headers: many.headers });
  expect(json).toMatchObject({ status: "cancelled", total: 10_000 });
}, 240_000);
