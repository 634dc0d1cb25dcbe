// Two processes of the app on one database, as behind a load balancer.
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type AppServer, startApp } from "../support/app-server.ts";
import { appUnderTest } from "../support/app-under-test.ts";
import { storedSession } from "../support/database.ts";
import { problemOf } from "../support/http-client.ts";
import { createClient, newRetryKey, type SessionClient, tokensOf } from "../support/session-client.ts";
import { leaks } from "../support/witness.ts";

const PUBLIC_URL = "http://localhost:3000";
const ROUNDS = 20;
/** The other process looks once a second; the rest is for a busy machine. */
const SEEN_WITHIN_MS = 5_000;

const app = appUnderTest(() => ({ PUBLIC_URL }));
let other: AppServer;
let elsewhere: SessionClient;

beforeAll(async () => {
  other = await startApp({ PUBLIC_URL }, app.server);
  elsewhere = createClient(other, app.witness);
});
afterAll(async () => {
  await other.kill("SIGKILL");
  const found = leaks(other, app.witness);
  await other.stop();
  expect(found).toEqual([]);
});

test("a session that begins in one goes on in the other", async () => {
  const { client } = app;
  const first = await client.signIn();
  expect((await elsewhere.session(first.accessToken)).status).toBe(200);
  const retryKey = newRetryKey();
  const second = await elsewhere.rotated(first.refreshToken, retryKey);
  expect((await client.rotated(first.refreshToken, retryKey)).refreshToken).toBe(second.refreshToken);
  expect((await client.session(second.accessToken)).status).toBe(200);
});

test("reuse in one ends the session in the other: refresh at once, access tokens as soon as it looks", async () => {
  const { client } = app;
  const first = await client.signIn();
  const second = await elsewhere.rotated(first.refreshToken);
  expect((await elsewhere.list(second.accessToken)).status).toBe(200);
  expect(problemOf(await client.refresh(first.refreshToken))).toBe("401 refresh_token_reused");
  expect(problemOf(await elsewhere.refresh(second.refreshToken))).toBe("401 refresh_token_revoked");
  expect(problemOf(await elsewhere.session(second.accessToken))).toBe("401 session_revoked");
  await vi.waitFor(
    async () => expect(problemOf(await elsewhere.list(second.accessToken))).toBe("401 session_revoked"),
    { timeout: SEEN_WITHIN_MS, interval: 50 },
  );
});

test("32 refreshes of one token over both: one rotates, the session has ended", async () => {
  const { client } = app;
  const { refreshToken, sessionId } = await client.signIn();
  const answers = await Promise.all(
    Array.from({ length: 32 }, (_, index) => (index % 2 === 0 ? client : elsewhere).refresh(refreshToken)),
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(storedSession(app.server, sessionId)).toEqual({ generation: 2, revokedReason: "reuse" });
});

test("32 refreshes of one token with one key over both: one and the same successor", async () => {
  const { client } = app;
  const { refreshToken, sessionId } = await client.signIn();
  const retryKey = newRetryKey();
  const answers = await Promise.all(
    Array.from({ length: 32 }, (_, index) =>
      (index % 2 === 0 ? client : elsewhere).rotated(refreshToken, retryKey),
    ),
  );
  expect(new Set(answers.map((tokens) => tokens.refreshToken)).size).toBe(1);
  expect(storedSession(app.server, sessionId)).toEqual({ generation: 2, revokedReason: null });
});

test("refresh in one against revoke in the other: no successor outlives the acknowledged end", async () => {
  const { client } = app;
  for (let round = 0; round < ROUNDS; round++) {
    const { refreshToken, sessionId } = await client.signIn();
    const [refreshed, revoked] = await Promise.all([
      client.refresh(refreshToken),
      elsewhere.logout(refreshToken),
    ]);
    expect(revoked.status).toBe(204);
    expect(storedSession(app.server, sessionId).revokedReason).toBe("logout");
    if (refreshed.status !== 200) expect(problemOf(refreshed)).toBe("401 refresh_token_revoked");
    else {
      const answer = await client.refresh(tokensOf(refreshed).refreshToken);
      expect(problemOf(answer)).toBe("401 refresh_token_revoked");
    }
  }
});
