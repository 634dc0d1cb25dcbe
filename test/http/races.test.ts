// Many requests at the same moment, over HTTP, against the built app. A successor is derived and not drawn, so that a
// swap that ran twice would not show in the answers: the rows are looked at as well.
import { expect, test } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";
import { storedSession } from "../support/database.ts";
import { type Answer, problemOf } from "../support/http-client.ts";
import { newRetryKey, REFRESH_COOKIE, RETRY_COOKIE, tokensOf } from "../support/session-client.ts";

const AT_ONCE = 32;
const ROUNDS = 30;

const app = appUnderTest();

function atOnce(request: () => Promise<Answer>): Promise<Answer[]> {
  return Promise.all(Array.from({ length: AT_ONCE }, request));
}

/** How often each outcome occurs. */
function tally(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const answer of answers) {
    const outcome = answer.status === 200 ? "200" : problemOf(answer);
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

test("32 refreshes of one token at once, by body without a key: one rotates, the rest are reuse", async () => {
  const { client, server } = app;
  const { refreshToken, sessionId } = await client.signIn();
  const answers = await atOnce(() => client.refresh(refreshToken));
  const { 200: rotated, "401 refresh_token_reused": reused = 0, ...others } = tally(answers);
  const { "401 refresh_token_revoked": revoked = 0, ...unexpected } = others;
  expect({ rotated, refused: reused + revoked, unexpected }).toEqual({
    rotated: 1,
    refused: AT_ONCE - 1,
    unexpected: {},
  });
  expect(reused).toBeGreaterThan(0);
  expect(storedSession(server, sessionId)).toEqual({ generation: 2, revokedReason: "reuse" });
  for (const answer of answers.filter(({ status }) => status === 200)) {
    const tokens = tokensOf(answer);
    expect(problemOf(await client.refresh(tokens.refreshToken))).toBe("401 refresh_token_revoked");
    expect(problemOf(await client.list(tokens.accessToken))).toBe("401 session_revoked");
  }
});

test("32 refreshes of one token at once, by body with one key: all get one and the same successor", async () => {
  const { client, server } = app;
  const { refreshToken, sessionId } = await client.signIn();
  const retryKey = newRetryKey();
  const answers = await atOnce(() => client.refresh(refreshToken, retryKey));
  expect(tally(answers)).toEqual({ 200: AT_ONCE });
  const successors = new Set(answers.map((answer) => tokensOf(answer).refreshToken));
  expect(successors.size).toBe(1);
  expect(storedSession(server, sessionId)).toEqual({ generation: 2, revokedReason: null });
  for (const successor of successors) expect((await client.refresh(successor)).status).toBe(200);
});

test.each([
  ["without a retry cookie", false],
  ["with the jar's retry cookie", true],
])(
  "32 refreshes of one jar at once, %s: one and the same successor, nobody is signed out",
  async (_, keyed) => {
    const { client, server } = app;
    const jar = await client.signedInBrowser();
    // As after 15 minutes: with a young access token in the jar nothing would rotate.
    jar.cookies.delete("__Host-ws_access");
    if (keyed) jar.cookies.set(RETRY_COOKIE, newRetryKey());
    const old = jar.cookies.get(REFRESH_COOKIE);
    const cookie = [...jar.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const answers = await atOnce(() =>
      jar.send("POST", "/api/auth/refresh", { headers: { Cookie: cookie } }),
    );
    expect(tally(answers)).toEqual({ 200: AT_ONCE });
    const refreshCookies = answers.flatMap(({ setCookies }) =>
      setCookies.filter((line) => line.startsWith(REFRESH_COOKIE)).map((line) => line.split(";")[0]),
    );
    expect(refreshCookies).toHaveLength(AT_ONCE);
    expect(new Set(refreshCookies).size).toBe(1);
    expect(jar.cookies.get(REFRESH_COOKIE)).not.toBe(old);
    expect(storedSession(server, jar.sessionId)).toEqual({ generation: 2, revokedReason: null });
    expect((await jar.send("GET", "/api/auth/session")).status).toBe(200);
  },
);

test("one challenge answered 32 times at once makes one session", async () => {
  const { client } = app;
  const body = await client.answerFor();
  const answers = await atOnce(() => client.send("POST", "/api/auth/wallet", { body }));
  expect(tally(answers)).toEqual({ 200: 1, "401 challenge_used": AT_ONCE - 1 });
  for (const answer of answers.filter(({ status }) => status === 200)) {
    const { sessions } = (await client.list(tokensOf(answer).accessToken)).json;
    expect(sessions).toHaveLength(1);
  }
});

test.each([
  ["without a key", () => undefined],
  ["with a key", newRetryKey],
])(
  "refresh against revoke at the same moment, %s: no successor outlives the acknowledged end",
  async (_, makeKey) => {
    const { client, server } = app;
    const winners = { refresh: 0, revoke: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      const { refreshToken, sessionId } = await client.signIn();
      const retryKey = makeKey();
      // Either may be sent first; both are under way before one is answered.
      const refreshing = round % 2 === 0 ? client.refresh(refreshToken, retryKey) : null;
      const revoking = client.logout(refreshToken);
      const [refreshed, revoked] = await Promise.all([
        refreshing ?? client.refresh(refreshToken, retryKey),
        revoking,
      ]);
      expect(revoked.status).toBe(204);
      expect(storedSession(server, sessionId).revokedReason).toBe("logout");
      expect(problemOf(await client.refresh(refreshToken, retryKey))).toBe("401 refresh_token_revoked");
      if (refreshed.status === 200) {
        winners.refresh += 1;
        const successor = tokensOf(refreshed);
        expect(problemOf(await client.refresh(successor.refreshToken))).toBe("401 refresh_token_revoked");
        expect(problemOf(await client.list(successor.accessToken))).toBe("401 session_revoked");
      } else {
        winners.revoke += 1;
        expect(problemOf(refreshed)).toBe("401 refresh_token_revoked");
      }
    }
    // Nothing is said about who wins, but both must have been tried.
    expect(winners.refresh + winners.revoke).toBe(ROUNDS);
  },
);
