// The process ends between any two steps of a session's life, and in the middle of one: nothing that was answered is
// lost, nothing that was ended comes back. The app that is killed: streams.test.ts, operations.test.ts.
import { expect, test } from "vitest";
import { startServe } from "../support/app-server.ts";
import { appUnderTest } from "../support/app-under-test.ts";
import { ACCESS_COOKIE, REFRESH_COOKIE } from "../support/cookies.ts";
import { storedSession } from "../support/database.ts";
import { problemOf } from "../support/http-client.ts";
import { bearer, newRetryKey, tokensOf } from "../support/session-client.ts";

const app = appUnderTest(() => ({ PUBLIC_URL: "http://localhost:3000" }), startServe);

test("SIGKILL between any two steps", async () => {
  const { client, server } = app;
  const restart = () => server.restart("SIGKILL");

  const body = await client.answerFor();
  await restart();
  const first = tokensOf(await client.send("POST", "/api/auth/wallet", { body }));
  await restart();
  expect(problemOf(await client.send("POST", "/api/auth/wallet", { body }))).toBe("400 challenge_used");
  expect((await client.session(first.accessToken)).status).toBe(200);

  const retryKey = newRetryKey();
  const second = await client.rotated(first.refreshToken, retryKey);
  await restart();
  const retried = await client.rotated(first.refreshToken, retryKey);
  expect(retried.refreshToken).toBe(second.refreshToken);
  expect(storedSession(server, first.sessionId).generation).toBe(2);
  const third = await client.rotated(second.refreshToken);
  await restart();

  expect(problemOf(await client.refresh(first.refreshToken, retryKey))).toBe("401 refresh_token_reused");
  await restart();
  expect(problemOf(await client.refresh(third.refreshToken))).toBe("401 refresh_token_revoked");
  expect(problemOf(await client.refresh(first.refreshToken))).toBe("401 refresh_token_revoked");
  for (const { accessToken } of [first, second, third]) {
    expect(problemOf(await client.list(accessToken))).toBe("401 session_revoked");
    expect(problemOf(await client.session(accessToken))).toBe("401 session_revoked");
  }
});

test("what was ended by logout, from a list or by cookie stays ended after a restart", async () => {
  const { client, server } = app;
  const byToken = await client.signIn();
  const listed = await client.signIn();
  const jar = await client.signedInBrowser();
  const oldCookies = [...jar.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  await client.logout(byToken.refreshToken);
  await client.send("DELETE", `/api/auth/sessions/${listed.sessionId}`, {
    headers: bearer(listed.accessToken),
  });
  expect((await jar.send("POST", "/api/auth/logout")).status).toBe(204);
  await server.restart("SIGKILL");
  for (const tokens of [byToken, listed]) {
    expect(problemOf(await client.refresh(tokens.refreshToken))).toBe("401 refresh_token_revoked");
    expect(problemOf(await client.list(tokens.accessToken))).toBe("401 session_revoked");
  }
  const thief = await jar.send("POST", "/api/auth/refresh", { headers: { Cookie: oldCookies } });
  expect(problemOf(thief)).toBe("401 refresh_token_revoked");
});

test("a crash in the middle of refreshes: each is retried with its key, and comes out once", async () => {
  const { client, server } = app;
  const sessions = await Promise.all(Array.from({ length: 16 }, () => client.signIn()));
  const keyed = sessions.map((session) => ({ ...session, retryKey: newRetryKey() }));
  const sent = keyed.map(({ refreshToken, retryKey }) => client.refresh(refreshToken, retryKey));
  // Some are answered, some are on their way, some have not been read.
  await Promise.race(sent);
  await server.kill("SIGKILL");
  const answers = await Promise.allSettled(sent);
  await server.start();

  for (const [index, { refreshToken, retryKey, sessionId }] of keyed.entries()) {
    const successor = await client.rotated(refreshToken, retryKey);
    const answer = answers[index];
    if (answer?.status === "fulfilled") {
      expect(tokensOf(answer.value).refreshToken).toBe(successor.refreshToken);
    }
    expect(storedSession(server, sessionId)).toEqual({ generation: 2, revokedReason: null });
    expect((await client.refresh(successor.refreshToken)).status).toBe(200);
  }
});

test("a jar whose refresh was lost in a crash is renewed after the restart", async () => {
  const { client, server } = app;
  const jar = await client.signedInBrowser();
  jar.cookies.delete(ACCESS_COOKIE);
  const lost = await jar.sendUnheard("POST", "/api/auth/refresh");
  await server.restart("SIGKILL");
  const answer = await jar.send("POST", "/api/auth/refresh");
  expect(answer.status).toBe(200);
  expect(lost.setCookies.join()).toContain(String(jar.cookies.get(REFRESH_COOKIE)));
  expect((await jar.send("GET", "/api/auth/session")).status).toBe(200);
});
