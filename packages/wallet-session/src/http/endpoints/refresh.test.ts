import { describe, expect, test } from "vitest";
import { COOKIES, problemOf, readJson, startHttp } from "../http.fixture.ts";

const REFRESH = "/api/auth/refresh";
const KEY = "a-retry-key-of-32-characters-now";
const DAY = 86_400_000;

describe("refresh by body", () => {
  test("rotates the token and signs a new access token", async () => {
    const { send, signIn } = await startHttp();
    const first = await signIn();
    const response = await send("POST", REFRESH, { body: { refresh_token: first.refresh_token } });
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.getSetCookie()).toEqual([]);
    const body = await readJson(response);
    expect(Object.keys(body)).toEqual([
      "access_token",
      "token_type",
      "expires_in",
      "refresh_token",
      "refresh_expires_in",
      "session_id",
    ]);
    expect(body.refresh_token).not.toBe(first.refresh_token);
    expect(body.session_id).toBe(first.session_id);
  });

  test("ends the session when a spent token comes again", async () => {
    const { send, signIn, engine } = await startHttp();
    const first = await signIn();
    const spent = { refresh_token: first.refresh_token };
    const second = await readJson(await send("POST", REFRESH, { body: spent }));
    expect(await problemOf(await send("POST", REFRESH, { body: spent }))).toBe("401 refresh_token_reused");
    const successor = await send("POST", REFRESH, { body: { refresh_token: second.refresh_token } });
    expect(await problemOf(successor)).toBe("401 refresh_token_revoked");
    await expect(engine.authenticate(second.access_token)).rejects.toMatchObject({ code: "session_revoked" });
  });

  test("answers a retry with the very same successor, quoted or bare", async () => {
    const { send, signIn } = await startHttp();
    const { refresh_token } = await signIn();
    const withKey = (key: string) =>
      send("POST", REFRESH, { body: { refresh_token }, headers: { "Idempotency-Key": key } });
    const lost = await readJson(await withKey(KEY));
    const retried = await readJson(await withKey(`"${KEY}"`));
    expect(retried.refresh_token).toBe(lost.refresh_token);
    expect(await problemOf(await withKey(`${KEY}-of-another`))).toBe("401 refresh_token_reused");
  });
});

describe("32 refreshes of one token at once", () => {
  test("by body without a key: one rotates, the rest are reuse, the session has ended", async () => {
    const { send, signIn, alarms } = await startHttp();
    const { refresh_token } = await signIn();
    const answers = await Promise.all(
      Array.from({ length: 32 }, () => send("POST", REFRESH, { body: { refresh_token } })),
    );
    const winners = answers.filter(({ status }) => status === 200);
    expect(winners).toHaveLength(1);
    const codes = await Promise.all(answers.filter(({ status }) => status !== 200).map(problemOf));
    // Who comes after the end is told so.
    for (const code of codes) expect(code).toMatch(/^401 refresh_token_(reused|revoked)$/);
    expect(codes).toContain("401 refresh_token_reused");
    expect(alarms()).toHaveLength(1);
  });

  test("by body with one key: all get one and the same successor", async () => {
    const { send, signIn, alarms } = await startHttp();
    const { refresh_token } = await signIn();
    const answers = await Promise.all(
      Array.from({ length: 32 }, async () =>
        readJson(
          await send("POST", REFRESH, { body: { refresh_token }, headers: { "Idempotency-Key": KEY } }),
        ),
      ),
    );
    expect(new Set(answers.map((answer) => answer.refresh_token)).size).toBe(1);
    expect(alarms()).toHaveLength(0);
  });

  test("by cookie: likewise, and nobody is signed out", async () => {
    const { browser, handlers, clock, alarms } = await startHttp();
    const jar = await browser();
    clock.advance(600_000);
    const requests = Array.from({ length: 32 }, () => jar.prepare("POST", REFRESH));
    const answers = await Promise.all(requests.map((request) => handlers.fetch(request)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const successors = answers.flatMap(({ headers }) =>
      headers.getSetCookie().filter((cookie) => cookie.startsWith(`${COOKIES.refresh}=`)),
    );
    expect(successors).toHaveLength(32);
    expect(new Set(successors).size).toBe(1);
    expect(alarms()).toHaveLength(0);
  });
});

describe("a refresh token", () => {
  test("that has idled out, or is past its absolute end, is expired", async () => {
    const { send, signIn, clock } = await startHttp({
      engineOptions: { refreshIdleTtlMs: 7 * DAY, refreshAbsoluteTtlMs: 10 * DAY },
    });
    const idle = await signIn();
    const kept = await signIn();
    clock.advance(6 * DAY);
    const body = { refresh_token: kept.refresh_token };
    const rotated = await readJson(await send("POST", REFRESH, { body }));
    expect(rotated.refresh_expires_in).toBe((4 * DAY) / 1000);
    clock.advance(1 * DAY);
    const late = await send("POST", REFRESH, { body: { refresh_token: idle.refresh_token } });
    expect(await problemOf(late)).toBe("401 refresh_token_expired");
    clock.advance(3 * DAY);
    const past = await send("POST", REFRESH, { body: { refresh_token: rotated.refresh_token } });
    expect(await problemOf(past)).toBe("401 refresh_token_expired");
  });

  test("comes in a form as well, and an empty one is none", async () => {
    const { send, signIn } = await startHttp();
    const { refresh_token } = await signIn();
    const headers = { "Content-Type": "application/x-www-form-urlencoded" };
    const form = await send("POST", REFRESH, { body: `refresh_token=${refresh_token}&x=1&`, headers });
    expect(form.status).toBe(200);
    for (const sent of [{}, { body: "", headers }, { body: "refresh_token=", headers }, { body: {} }]) {
      expect(await problemOf(await send("POST", REFRESH, sent))).toBe("401 refresh_token_missing");
    }
  });

  test.each(["refresh_token", "access_token", "token"])("in the query as %s is refused", async (name) => {
    const { send, signIn, store } = await startHttp();
    const { refresh_token } = await signIn();
    const before = await store.snapshot();
    for (const method of ["POST", "GET"]) {
      const response = await send(method, `${REFRESH}?${name}=${refresh_token}`);
      expect(await problemOf(response)).toBe("400 invalid_request");
    }
    expect(await store.snapshot()).toBe(before);
  });

  test("in body and cookie at once is refused", async () => {
    const { browser, store } = await startHttp();
    const jar = await browser();
    const refresh_token = jar.cookies.get(COOKIES.refresh) ?? "";
    const before = await store.snapshot();
    const both = await jar.send("POST", REFRESH, { body: { refresh_token } });
    expect(await problemOf(both)).toBe("400 invalid_request");
    expect(await store.snapshot()).toBe(before);
  });

  test("of the other transport is invalid and stays good", async () => {
    const { send, signIn, browser, store } = await startHttp();
    const jar = await browser();
    const byBody = await signIn();
    const before = await store.snapshot();
    const cookieInBody = await send("POST", REFRESH, {
      body: { refresh_token: jar.cookies.get(COOKIES.refresh) ?? "" },
    });
    expect(await problemOf(cookieInBody)).toBe("401 refresh_token_invalid");
    const bodyInCookie = await send("POST", REFRESH, {
      headers: {
        "Sec-Fetch-Site": "same-origin",
        Cookie: `${COOKIES.refresh}=${byBody.refresh_token}`,
      },
    });
    expect(await problemOf(bodyInCookie)).toBe("401 refresh_token_invalid");
    expect(await store.snapshot()).toBe(before);
  });
});

test.each([
  ["too short", "fifteen-chars-x"],
  ["too long", "x".repeat(129)],
  ["with a space", "a retry key with spaces in it"],
  ["not ASCII", "schlüssel-schlüssel"],
  ["empty", ""],
  ["an open quote", `"${KEY}`],
  ["quoted and too short", '"fifteen-chars-x"'],
])("an Idempotency-Key that is %s is refused and nothing rotates", async (_, key) => {
  const { send, signIn, browser, store, clock } = await startHttp();
  const { refresh_token } = await signIn();
  const jar = await browser();
  clock.advance(600_000);
  const before = await store.snapshot();
  const headers = { "Idempotency-Key": key };
  const byBody = await send("POST", REFRESH, { body: { refresh_token }, headers });
  expect(await problemOf(byBody)).toBe("400 invalid_request");
  expect(await problemOf(await jar.send("POST", REFRESH, { headers }))).toBe("400 invalid_request");
  expect(await store.snapshot()).toBe(before);
});

test("a fault of the store is 503, clears no cookie, and a retry with the same key succeeds", async () => {
  const { browser, signIn, send, store, clock, faults } = await startHttp();
  const { refresh_token } = await signIn();
  const jar = await browser();
  clock.advance(600_000);
  const before = new Map(jar.cookies);
  store.failing = true;
  const byBody = { body: { refresh_token }, headers: { "Idempotency-Key": KEY } };
  for (const response of [await jar.send("POST", REFRESH), await send("POST", REFRESH, byBody)]) {
    expect(await problemOf(response)).toBe("503 store_unavailable");
    expect(response.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(await response.text()).not.toContain("disk");
  }
  expect(jar.cookies).toEqual(before);
  // The engine reports what its store does.
  expect(faults).toEqual([]);
  store.failing = false;
  expect((await jar.send("POST", REFRESH)).status).toBe(200);
  expect((await send("POST", REFRESH, byBody)).status).toBe(200);
});
