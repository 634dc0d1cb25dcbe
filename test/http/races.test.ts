// Many requests at the same moment, over HTTP, against the built app. A successor is derived and not drawn, so a swap that
// ran twice would not show in the answers: the test looks at the rows as well. Refreshes by body: two-processes.test.ts.
import { expect, test } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";
import { ACCESS_COOKIE, REFRESH_COOKIE, RETRY_COOKIE } from "../support/cookies.ts";
import { storedSession } from "../support/database.ts";
import { type Answer, problemOf } from "../support/http-client.ts";
import { newRetryKey, tokensOf } from "../support/session-client.ts";

const AT_ONCE = 32;

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

test.each([
  ["without a retry cookie", false],
  ["with the jar's retry cookie", true],
])(
  "32 refreshes of one jar at once, %s: one and the same successor, nobody is signed out",
  async (_, keyed) => {
    const { client, server } = app;
    const jar = await client.signedInBrowser();
    // As after 15 minutes: with a young access token in the jar nothing would rotate.
    jar.cookies.delete(ACCESS_COOKIE);
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
  expect(tally(answers)).toEqual({ 200: 1, "400 challenge_used": AT_ONCE - 1 });
  for (const answer of answers.filter(({ status }) => status === 200)) {
    const { sessions } = (await client.list(tokensOf(answer).accessToken)).json;
    expect(sessions).toHaveLength(1);
  }
});
