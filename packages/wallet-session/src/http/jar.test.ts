import { describe, expect, test } from "vitest";
import { type Browser, COOKIES, problemOf, readJson, startHttp } from "./http.fixture.ts";

const REFRESH = "/api/auth/refresh";
const KEY = "a-retry-key-of-32-characters-now";
const TEN_MINUTES = 600_000;

const CLEARED = [
  `${COOKIES.access}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax`,
  `${COOKIES.refresh}=; Max-Age=0; Path=/api/auth; HttpOnly; Secure; SameSite=Lax`,
  `${COOKIES.session}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax`,
  `${COOKIES.retry}=; Max-Age=0; Path=/; Secure; SameSite=Lax`,
];

describe("a jar", () => {
  test("gets new tokens in cookies, and its retry key has done its work", async () => {
    const { browser, clock } = await startHttp();
    const jar = await browser();
    const before = new Map(jar.cookies);
    jar.cookies.set(COOKIES.retry, KEY);
    clock.advance(TEN_MINUTES);
    const response = await jar.send("POST", REFRESH);
    expect(await readJson(response)).toEqual({
      token_type: "Bearer",
      expires_in: 900,
      refresh_expires_in: 604_800,
      session_id: jar.sessionId,
    });
    expect([...jar.cookies.keys()]).toEqual([COOKIES.access, COOKIES.refresh, COOKIES.session]);
    expect(jar.cookies.get(COOKIES.session)).toBe(jar.sessionId);
    for (const name of [COOKIES.access, COOKIES.refresh]) {
      expect(jar.cookies.get(name)).not.toBe(before.get(name));
    }
  });

  test("that was renewed a moment ago is left as it is", async () => {
    const { browser, clock, store } = await startHttp();
    const jar = await browser();
    clock.advance(20_000);
    const before = await store.snapshot();
    const response = await jar.send("POST", REFRESH);
    expect(await readJson(response)).toMatchObject({ expires_in: 880, session_id: jar.sessionId });
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(await store.snapshot()).toBe(before);
  });

  test("gets the lost answer again by its retry cookie, long after the leeway", async () => {
    const { browser, handlers, clock } = await startHttp();
    const jar = await browser();
    jar.cookies.set(COOKIES.retry, KEY);
    clock.advance(TEN_MINUTES);
    const lost = await handlers.fetch(jar.prepare("POST", REFRESH));
    clock.advance(2 * 3_600_000);
    const again = await jar.send("POST", REFRESH);
    expect(again.status).toBe(200);
    expect(lost.headers.getSetCookie().at(1)?.split(";")[0]).toBe(
      again.headers.getSetCookie().at(1)?.split(";")[0],
    );
  });

  test("the header's key comes before the cookie's", async () => {
    const { browser, handlers, clock } = await startHttp();
    const jar = await browser();
    clock.advance(TEN_MINUTES);
    await handlers.fetch(jar.prepare("POST", REFRESH, { headers: { "Idempotency-Key": KEY } }));
    clock.advance(TEN_MINUTES);
    jar.cookies.set(COOKIES.retry, "another-key-of-enough-characters");
    const again = await jar.send("POST", REFRESH, { headers: { "Idempotency-Key": KEY } });
    expect(again.status).toBe(200);
  });

  test.each([
    ["malformed", "short"],
    ["doubled", `${KEY}; ${COOKIES.retry}=${KEY}`],
  ])("with a %s retry cookie works as one without", async (_, value) => {
    const { browser, clock } = await startHttp();
    const jar = await browser();
    jar.cookies.set(COOKIES.retry, value);
    clock.advance(TEN_MINUTES);
    expect((await jar.send("POST", REFRESH)).status).toBe(200);
  });

  test.each([
    ["cross-site", { "Sec-Fetch-Site": "cross-site" }],
    ["same-site", { "Sec-Fetch-Site": "same-site" }],
    ["none", { "Sec-Fetch-Site": "none" }],
  ])("is not touched from %s", async (_, headers) => {
    const { browser, clock, store } = await startHttp();
    const jar = await browser();
    clock.advance(TEN_MINUTES);
    store.steps.length = 0;
    const response = await jar.send("POST", REFRESH, { headers });
    expect(await problemOf(response)).toBe("403 cross_origin");
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(store.steps).toEqual([]);
  });

  test("has cookies that live no longer than its session", async () => {
    const { browser, clock } = await startHttp({
      engineOptions: { refreshIdleTtlMs: 1_200_000, refreshAbsoluteTtlMs: 1_200_000 },
    });
    const jar = await browser();
    clock.advance(TEN_MINUTES);
    const ages = (await jar.send("POST", REFRESH)).headers
      .getSetCookie()
      .map((cookie) => Number(/Max-Age=(\d+)/.exec(cookie)?.[1]));
    // To the second: the access token ends with the second in which the session does.
    expect(ages[0]).toBeLessThanOrEqual(600);
    expect(ages.slice(1)).toEqual([600, 600, 0]);
  });
});

describe("the cookies of a session that is over", () => {
  const endings: [string, string, (jar: Browser, http: Awaited<ReturnType<typeof startHttp>>) => unknown][] =
    [
      ["expired", "401 refresh_token_expired", (_, { clock }) => clock.advance(8 * 86_400_000)],
      [
        "revoked",
        "401 refresh_token_revoked",
        (jar, { engine }) => engine.revokeByRefreshToken(jar.cookies.get(COOKIES.refresh) ?? "", "admin"),
      ],
      [
        "reused",
        "401 refresh_token_reused",
        async (jar, { handlers, clock }) => {
          clock.advance(TEN_MINUTES);
          await handlers.fetch(jar.prepare("POST", REFRESH));
          clock.advance(TEN_MINUTES);
        },
      ],
    ];

  test.each(endings)("are cleared when its token is %s", async (_, expected, end) => {
    const http = await startHttp();
    const jar = await http.browser();
    await end(jar, http);
    const response = await jar.send("POST", REFRESH);
    expect(await problemOf(response)).toBe(expected);
    expect(response.headers.getSetCookie()).toEqual(CLEARED);
  });

  test("are kept when a newer sign-in has taken the jar over", async () => {
    const { browser, answerFor, handlers } = await startHttp();
    const jar = await browser();
    const late = jar.prepare("POST", REFRESH);
    const signIn = { body: await answerFor(), headers: { "Session-Transport": "cookie" } };
    expect((await jar.send("POST", "/api/auth/wallet", signIn)).status).toBe(200);
    const refusal = await handlers.fetch(late);
    jar.keep(refusal);
    expect(await problemOf(refusal)).toBe("401 refresh_token_revoked");
    expect(refusal.headers.getSetCookie()).toEqual([]);
    expect((await jar.send("GET", "/api/auth/session")).status).toBe(200);
  });

  test("are kept where they are not of that session", async () => {
    const { browser, handlers, engine } = await startHttp();
    const jar = await browser();
    const other = await browser();
    await engine.revokeByRefreshToken(jar.cookies.get(COOKIES.refresh) ?? "", "admin");
    jar.cookies.set(COOKIES.access, other.cookies.get(COOKIES.access) ?? "");
    const refusal = await handlers.fetch(jar.prepare("POST", REFRESH));
    expect(await problemOf(refusal)).toBe("401 refresh_token_revoked");
    expect(refusal.headers.getSetCookie()).toEqual(CLEARED.slice(1));
  });
});
