// A store that fails while the app runs: never taken for a refusal, nobody is signed out, and the same request
// succeeds once the store is back.
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test, vi } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { appUnderTest } from "../support/app-under-test.ts";
import { ACCESS_COOKIE } from "../support/cookies.ts";
import { storedSession, whileGone } from "../support/database.ts";
import { type Answer, problemOf, STACK_TRACE } from "../support/http-client.ts";
import { bearer, newRetryKey } from "../support/session-client.ts";

const app = appUnderTest(() => ({}));

function expectFault(answer: Answer): void {
  expect(problemOf(answer)).toBe("503 store_unavailable");
  expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(answer.setCookies).toEqual([]);
  expect(answer.text).not.toMatch(/sqlite|locked|no such table/i);
  expect(answer.text).not.toMatch(STACK_TRACE);
}

/** Another process holds the write lock for longer than the store waits. */
async function whileLocked(work: () => Promise<void>): Promise<void> {
  const database = new DatabaseSync(app.server.databasePath);
  try {
    database.exec("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE");
    await work();
  } finally {
    // Closing rolls back.
    database.close();
  }
}

describe.each([
  ["locked by another process", whileLocked],
  ["without its table", (work: () => Promise<void>) => whileGone(app.server, work)],
])("a database %s", (_, whileFailing) => {
  test("is a fault of each request that writes, and each succeeds afterwards", async () => {
    const { client, server } = app;
    const body = await client.answerFor();
    const toRefresh = await client.signIn();
    const toEnd = await client.signIn();
    const jar = await client.signedInBrowser();
    jar.cookies.delete(ACCESS_COOKIE);
    const cookies = new Map(jar.cookies);
    const retryKey = newRetryKey();
    const requests = [
      () => client.send("POST", "/api/auth/wallet", { body }),
      () => client.refresh(toRefresh.refreshToken, retryKey),
      () => jar.send("POST", "/api/auth/refresh"),
      () => jar.send("GET", "/api/auth/refresh?next=/session"),
      () => client.logout(toEnd.refreshToken),
      () => client.send("DELETE", "/api/auth/sessions?scope=all", { headers: bearer(toEnd.accessToken) }),
    ];

    await whileFailing(async () => {
      const answers = await Promise.all(requests.map((request) => request()));
      for (const answer of answers) expectFault(answer);
      expect(problemOf(await client.send("GET", "/api/readyz"))).toBe("503 store_unavailable");
    });

    // The fault has cost nobody a cookie or a token, and none of it was written.
    expect(jar.cookies).toEqual(cookies);
    expect(storedSession(server, toRefresh.sessionId)).toEqual({ generation: 1, revokedReason: null });
    expect(storedSession(server, toEnd.sessionId).revokedReason).toBeNull();
    const statuses = [];
    for (const request of requests) statuses.push((await request()).status);
    // The last one comes with the access token of the session that the one before it has ended.
    expect(statuses).toEqual([200, 200, 200, 303, 204, 401]);
    expect(storedSession(server, toRefresh.sessionId).generation).toBe(2);
    expect(storedSession(server, jar.sessionId).generation).toBe(2);
  });
});

test("a database that cannot be read is a fault of reads too, but needs no restart", async () => {
  const { client } = app;
  const { accessToken, refreshToken } = await client.signIn();
  await whileGone(app.server, async () => {
    expectFault(await client.session(accessToken));
    expectFault(await client.list(accessToken));
    expect(problemOf(await client.send("GET", "/api/readyz"))).toBe("503 store_unavailable");
    expect((await client.send("GET", "/api/healthz")).status).toBe(200);
    // What is no token of ours is told without the store.
    expect(problemOf(await client.refresh(`${refreshToken}A`))).toBe("401 refresh_token_invalid");
    expect(
      (await client.send("GET", `/api/auth/wallet?account=${createWalletKeypair().account}`)).status,
    ).toBe(200);
  });
  expect((await client.session(accessToken)).status).toBe(200);
  expect((await client.send("GET", "/api/readyz")).status).toBe(200);
});

test("the log says which step failed", async () => {
  const { client, server } = app;
  const { refreshToken } = await client.signIn();
  await whileGone(app.server, async () => expectFault(await client.refresh(refreshToken)));
  await vi.waitFor(() => expect(server.output()).toMatch(/"event":"store_fault","step":"rotate"/), 10_000);
});
