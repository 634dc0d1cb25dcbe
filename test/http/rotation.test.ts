// The life of a refresh token over HTTP, against the built app: rotation, reuse, revocation, expiry, retry.
import { describe, expect, test, vi } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";
import { age, dump, storedSession } from "../support/database.ts";
import { problemOf } from "../support/http-client.ts";
import { newRetryKey, type Tokens, tokensOf } from "../support/session-client.ts";

const app = appUnderTest();

/** Nothing of the session is good for anything any more. Without a wait: the process that ended it knows at once. */
async function expectEnded(tokens: Tokens, code = "refresh_token_revoked"): Promise<void> {
  const { client } = app;
  expect(problemOf(await client.refresh(tokens.refreshToken))).toBe(`401 ${code}`);
  expect(problemOf(await client.session(tokens.accessToken))).toBe("401 session_revoked");
  expect(problemOf(await client.list(tokens.accessToken))).toBe("401 session_revoked");
}

test("each refresh swaps the token for its successor, and the old access token lives on", async () => {
  const { client } = app;
  const first = await client.signIn();
  const second = await client.rotated(first.refreshToken);
  const third = await client.rotated(second.refreshToken);
  expect(new Set([first, second, third].map(({ refreshToken }) => refreshToken)).size).toBe(3);
  expect(third.sessionId).toBe(first.sessionId);
  expect(storedSession(app.server, first.sessionId)).toEqual({ generation: 3, revokedReason: null });
  for (const { accessToken } of [first, second, third]) {
    const answer = await client.session(accessToken);
    expect([answer.status, answer.json.session_id, answer.json.generation]).toEqual([
      200,
      first.sessionId,
      3,
    ]);
  }
});

test("the answer to a refresh is the documented one, and nobody may keep it", async () => {
  const { client } = app;
  const { refreshToken } = await client.signIn();
  const answer = await client.refresh(refreshToken);
  expect(Object.keys(answer.json)).toEqual([
    "access_token",
    "token_type",
    "expires_in",
    "refresh_token",
    "refresh_expires_in",
    "session_id",
  ]);
  expect(answer.json).toMatchObject({ token_type: "Bearer", expires_in: 900, refresh_expires_in: 604_800 });
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(answer.setCookies).toEqual([]);
});

test("the token may come in a form as well", async () => {
  const { refreshToken } = await app.client.signIn();
  const answer = await app.client.send("POST", "/api/auth/refresh", {
    body: new URLSearchParams({ refresh_token: refreshToken }).toString(),
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
  });
  expect(answer.status).toBe(200);
});

describe("a rotated token used again", () => {
  test("ends the session: its successor is dead, its access tokens are refused", async () => {
    const { client } = app;
    const first = await client.signIn();
    const second = await client.rotated(first.refreshToken);
    expect(problemOf(await client.refresh(first.refreshToken))).toBe("401 refresh_token_reused");
    expect(storedSession(app.server, first.sessionId)).toEqual({ generation: 2, revokedReason: "reuse" });
    await expectEnded(second);
    await expectEnded(first);
  });

  test("does so from any generation, and leaves the same wallet's other session alone", async () => {
    const { client } = app;
    const other = await client.signIn();
    const first = await client.signIn();
    let last = first;
    for (let i = 0; i < 4; i++) last = await client.rotated(last.refreshToken);
    expect(problemOf(await client.refresh(first.refreshToken))).toBe("401 refresh_token_reused");
    await expectEnded(last);
    expect((await client.refresh(other.refreshToken)).status).toBe(200);
  });

  test("is reported once", async () => {
    const { client, server } = app;
    const first = await client.signIn();
    await client.rotated(first.refreshToken);
    await Promise.all(Array.from({ length: 8 }, () => client.refresh(first.refreshToken)));
    const alarms = () =>
      server
        .output()
        .split("\n")
        .filter((line) => line.includes('"reuse_detected"') && line.includes(first.sessionId));
    await vi.waitFor(() => expect(alarms()).toHaveLength(1), 10_000);
  });
});

test("a revoked token is refused, current or old, and so are the access tokens", async () => {
  const { client } = app;
  const first = await client.signIn();
  const second = await client.rotated(first.refreshToken);
  expect((await client.logout(second.refreshToken)).status).toBe(204);
  await expectEnded(second);
  await expectEnded(first);
  expect(storedSession(app.server, first.sessionId)).toEqual({ generation: 2, revokedReason: "logout" });
});

test.each([
  ["idle for too long", "idle_expires_at"],
  ["past its absolute end", "expires_at"],
] as const)("a session %s is refused as expired, and nothing is written", async (_, limit) => {
  const { client, server } = app;
  const first = await client.signIn();
  const second = await client.rotated(first.refreshToken);
  age(server, first.sessionId, limit);
  const before = dump(server);
  for (const { refreshToken } of [second, first]) {
    for (const retryKey of [undefined, newRetryKey()]) {
      expect(problemOf(await client.refresh(refreshToken, retryKey))).toBe("401 refresh_token_expired");
    }
  }
  expect(problemOf(await client.session(second.accessToken))).toBe("401 session_revoked");
  expect(dump(server)).toBe(before);
});

test("a retry that comes after the end gets no successor", async () => {
  const { client, server } = app;
  const { refreshToken, sessionId } = await client.signIn();
  const retryKey = newRetryKey();
  await client.rotated(refreshToken, retryKey);
  age(server, sessionId, "expires_at");
  expect(problemOf(await client.refresh(refreshToken, retryKey))).toBe("401 refresh_token_expired");
});

test("no refresh moves the absolute end, and nothing issued reaches beyond it", async () => {
  const { client, server } = app;
  const { accessToken, refreshToken, sessionId } = await client.signIn();
  age(server, sessionId, "expires_at", 60);
  const before = await client.session(accessToken);
  const answer = await client.refresh(refreshToken);
  const after = await client.session(tokensOf(answer).accessToken);
  expect(after.json.session_expires_at).toBe(before.json.session_expires_at);
  expect(answer.json.expires_in).toBeLessThanOrEqual(60);
  expect(answer.json.refresh_expires_in).toBeLessThanOrEqual(60);
});

describe("a lost answer", () => {
  test("retried with the same key gets the identical successor, however the key is written", async () => {
    const { client, server } = app;
    const { refreshToken, sessionId } = await client.signIn();
    const retryKey = newRetryKey();
    const lost = await client.rotated(refreshToken, retryKey);
    const before = dump(server);
    for (const written of [retryKey, `"${retryKey}"`]) {
      const again = await client.rotated(refreshToken, written);
      expect(again.refreshToken).toBe(lost.refreshToken);
    }
    expect(dump(server)).toBe(before);
    expect(storedSession(server, sessionId)).toEqual({ generation: 2, revokedReason: null });
    expect((await client.refresh(lost.refreshToken)).status).toBe(200);
  });

  test.each([
    ["with another key", newRetryKey()],
    ["without the key", undefined],
  ])("retried %s is reuse", async (_, otherKey) => {
    const { client } = app;
    const { refreshToken } = await client.signIn();
    const lost = await client.rotated(refreshToken, newRetryKey());
    expect(problemOf(await client.refresh(refreshToken, otherKey))).toBe("401 refresh_token_reused");
    await expectEnded(lost);
  });

  test("that was asked for without a key cannot be retried with one", async () => {
    const { client } = app;
    const { refreshToken } = await client.signIn();
    const lost = await client.rotated(refreshToken);
    expect(problemOf(await client.refresh(refreshToken, newRetryKey()))).toBe("401 refresh_token_reused");
    await expectEnded(lost);
  });

  test("is not brought back once its successor has been used", async () => {
    const { client } = app;
    const { refreshToken } = await client.signIn();
    const retryKey = newRetryKey();
    const second = await client.rotated(refreshToken, retryKey);
    const third = await client.rotated(second.refreshToken, newRetryKey());
    expect(problemOf(await client.refresh(refreshToken, retryKey))).toBe("401 refresh_token_reused");
    await expectEnded(third);
  });

  test("of a session that has been revoked meanwhile stays lost", async () => {
    const { client } = app;
    const { refreshToken } = await client.signIn();
    const retryKey = newRetryKey();
    await client.rotated(refreshToken, retryKey);
    await client.logout(refreshToken);
    expect(problemOf(await client.refresh(refreshToken, retryKey))).toBe("401 refresh_token_revoked");
  });
});

test.each([
  ["15 characters", "x".repeat(15)],
  ["129 characters", "x".repeat(129)],
  ["a space within", "0123456789 abcdef"],
  ["an open quote", '"0123456789abcdef'],
  ["nothing", ""],
])("an Idempotency-Key of %s is refused, and the token stays good", async (_, retryKey) => {
  const { client } = app;
  const { refreshToken } = await client.signIn();
  expect(problemOf(await client.refresh(refreshToken, retryKey))).toBe("400 invalid_request");
  expect(tokensOf(await client.refresh(refreshToken)).refreshToken).not.toBe(refreshToken);
});
