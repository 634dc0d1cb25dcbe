import { describe, expect, test } from "vitest";
import { COOKIES, problemOf, startHttp } from "../http.fixture.ts";

const LOGOUT = "/api/auth/logout";
const SAME_ORIGIN = { "Sec-Fetch-Site": "same-origin" };

describe("sign-out", () => {
  test("ends the session of a refresh token in the body, and does so twice", async () => {
    const { send, signIn, store } = await startHttp();
    const { refresh_token, session_id } = await signIn();
    for (const _ of [1, 2]) {
      const response = await send("POST", LOGOUT, { body: { refresh_token } });
      expect(response.status).toBe(204);
      expect(response.headers.get("cache-control")).toBe("no-store");
    }
    expect(await store.real.findSession(session_id)).toMatchObject({ revokedReason: "logout" });
    const refresh = await send("POST", "/api/auth/refresh", { body: { refresh_token } });
    expect(await problemOf(refresh)).toBe("401 refresh_token_revoked");
  });

  test("ends the session of a bearer token", async () => {
    const { send, signIn, store } = await startHttp();
    const { access_token, session_id } = await signIn();
    const response = await send("POST", LOGOUT, { headers: { Authorization: `Bearer ${access_token}` } });
    expect(response.status).toBe(204);
    expect(await store.real.findSession(session_id)).toMatchObject({ revokedReason: "logout" });
  });

  test("ends nothing by an expired access token alone, as a log may hold one, however it comes", async () => {
    const { send, browser, store, clock } = await startHttp();
    const jar = await browser();
    const access = jar.cookies.get(COOKIES.access);
    clock.advance(900_000);
    const before = await store.snapshot();
    for (const headers of [
      { Authorization: `Bearer ${access}` },
      { Cookie: `${COOKIES.access}=${access}`, ...SAME_ORIGIN },
      { Cookie: `${COOKIES.access}=${access}; ${COOKIES.session}=${jar.sessionId}`, ...SAME_ORIGIN },
    ]) {
      expect((await send("POST", LOGOUT, { headers })).status).toBe(204);
      expect(await store.snapshot()).toBe(before);
    }
    // The jar's own refresh cookie signs out at any age.
    expect((await jar.send("POST", LOGOUT)).status).toBe(204);
    expect(jar.cookies.size).toBe(0);
    expect(await store.real.findSession(jar.sessionId)).toMatchObject({ revokedReason: "logout" });
  });

  test("empties a jar whose access token has expired and whose refresh cookie is gone", async () => {
    const { browser, clock } = await startHttp();
    const jar = await browser();
    jar.cookies.delete(COOKIES.refresh);
    clock.advance(900_000);
    expect((await jar.send("POST", LOGOUT)).status).toBe(204);
    expect(jar.cookies.size).toBe(0);
  });

  test("ends the jar's session and empties the jar", async () => {
    const { browser, store } = await startHttp();
    const jar = await browser();
    jar.cookies.set(COOKIES.retry, "a-retry-key-of-32-characters-now");
    const response = await jar.send("POST", LOGOUT);
    expect(response.status).toBe(204);
    expect(jar.cookies.size).toBe(0);
    expect(await store.real.findSession(jar.sessionId)).toMatchObject({ revokedReason: "logout" });
  });
});

test.each([COOKIES.refresh, COOKIES.access])("the jar needs no %s for it", async (name) => {
  const { browser, store } = await startHttp();
  const jar = await browser();
  jar.cookies.delete(name);
  expect((await jar.send("POST", LOGOUT)).status).toBe(204);
  expect(jar.cookies.size).toBe(0);
  expect(await store.real.findSession(jar.sessionId)).toMatchObject({ revokedReason: "logout" });
});

test("a spoilt refresh cookie does not keep the session alive", async () => {
  const { browser, store } = await startHttp();
  const jar = await browser();
  jar.cookies.set(COOKIES.refresh, "garbage");
  expect((await jar.send("POST", LOGOUT)).status).toBe(204);
  expect(await store.real.findSession(jar.sessionId)).toMatchObject({ revokedReason: "logout" });
  expect([...jar.cookies]).toEqual([[COOKIES.refresh, "garbage"]]);
});

test.each([
  ["nothing", {}],
  ["an empty token", { body: { refresh_token: "" } }],
  ["garbage in the body", { body: { refresh_token: "garbage" } }],
  ["a garbage bearer", { headers: { Authorization: "Bearer garbage" } }],
  ["another scheme", { headers: { Authorization: "Basic Zm9v" } }],
  [
    "garbage cookies",
    { headers: { Cookie: `${COOKIES.refresh}=garbage; ${COOKIES.access}=garbage`, ...SAME_ORIGIN } },
  ],
])("%s is signed out already", async (_, sent) => {
  const { send, signIn, store } = await startHttp();
  await signIn();
  const before = await store.snapshot();
  expect((await send("POST", LOGOUT, sent)).status).toBe(204);
  expect(await store.snapshot()).toBe(before);
});

test("two sources at once, a token in the query and a wrong type are refused", async () => {
  const { browser, store } = await startHttp();
  const jar = await browser();
  const before = await store.snapshot();
  const refresh_token = jar.cookies.get(COOKIES.refresh) ?? "";
  const refusals = [
    await jar.send("POST", LOGOUT, { body: { refresh_token } }),
    await jar.send("POST", `${LOGOUT}?token=x`),
    await jar.send("POST", LOGOUT, { body: { refresh_token: 1 } }),
  ];
  for (const refusal of refusals) {
    expect(await problemOf(refusal)).toBe("400 invalid_request");
    expect(refusal.headers.getSetCookie()).toEqual([]);
  }
  expect(await store.snapshot()).toBe(before);
});

test("what empties the jar ends its session, also where a bearer token comes with it", async () => {
  const { browser, signIn, store } = await startHttp();
  const own = await signIn();
  for (const bearer of ["stale", own.access_token]) {
    const jar = await browser();
    const response = await jar.send("POST", LOGOUT, { headers: { Authorization: `Bearer ${bearer}` } });
    expect(response.status).toBe(204);
    expect(jar.cookies.size).toBe(0);
    expect(await store.real.findSession(jar.sessionId)).toMatchObject({ revokedReason: "logout" });
  }
  expect(await store.real.findSession(own.session_id)).toMatchObject({ revokedReason: "logout" });
});

test("another site can neither end the jar's session nor empty the jar", async () => {
  const { browser, signIn, store } = await startHttp();
  const jar = await browser();
  const own = await signIn();
  const headers = { "Sec-Fetch-Site": "same-site" };
  const before = await store.snapshot();
  expect(await problemOf(await jar.send("POST", LOGOUT, { headers }))).toBe("403 cross_origin");
  expect(await store.snapshot()).toBe(before);
  const byBearer = await jar.send("POST", LOGOUT, {
    headers: { ...headers, Authorization: `Bearer ${own.access_token}` },
  });
  expect(byBearer.status).toBe(204);
  expect(jar.cookies.size).toBe(3);
});

test("a fault of the store is 503 and clears nothing", async () => {
  const { browser, signIn, send, store } = await startHttp();
  const jar = await browser();
  const { refresh_token, access_token } = await signIn();
  store.failing = true;
  const faults = [
    await jar.send("POST", LOGOUT),
    await send("POST", LOGOUT, { body: { refresh_token } }),
    await send("POST", LOGOUT, { headers: { Authorization: `Bearer ${access_token}` } }),
  ];
  for (const fault of faults) {
    expect(await problemOf(fault)).toBe("503 store_unavailable");
    expect(fault.headers.getSetCookie()).toEqual([]);
  }
});
