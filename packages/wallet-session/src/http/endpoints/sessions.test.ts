import { describe, expect, test } from "vitest";
import { createWalletKeypair } from "../../testing/wallet-keypair.ts";
import { COOKIES, createRequest, problemOf, readJson, startHttp } from "../http.fixture.ts";

const SESSION = "/api/auth/session";
const SESSIONS = "/api/auth/sessions";
const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });

describe("the session at hand", () => {
  test("is told by header and by cookie", async () => {
    const { send, signIn, browser, clock } = await startHttp();
    const key = createWalletKeypair();
    const { access_token, session_id } = await signIn(key);
    clock.advance(60_000);
    const response = await send("GET", SESSION, bearer(access_token));
    expect(response.headers.get("cache-control")).toBe("no-store");
    const createdAt = clock.now() - 60_000;
    expect(await readJson(response)).toEqual({
      actor_id: key.account,
      session_id,
      transport: "body",
      binding: null,
      generation: 1,
      expires_in: expect.toSatisfy((seconds) => seconds === 839 || seconds === 840),
      session_expires_at: new Date(createdAt + 30 * 86_400_000).toISOString(),
      idle_expires_at: new Date(createdAt + 7 * 86_400_000).toISOString(),
      created_at: new Date(createdAt).toISOString(),
      last_active_at: new Date(createdAt).toISOString(),
    });
    const jar = await browser();
    const byCookie = await readJson(await jar.send("GET", SESSION));
    expect(byCookie).toMatchObject({ session_id: jar.sessionId, transport: "cookie" });
  });

  test("is refused with a challenge for a bearer token", async () => {
    const { send, signIn, engine, clock } = await startHttp();
    const ended = await signIn();
    await engine.revokeByRefreshToken(ended.refresh_token, "admin");
    const expired = await signIn();
    const refusals = [
      [await send("GET", SESSION), "401 access_token_missing"],
      [await send("GET", SESSION, { headers: { Authorization: "Basic Zm9v" } }), "401 access_token_missing"],
      [await send("GET", SESSION, bearer("garbage")), "401 access_token_invalid"],
      [await send("GET", SESSION, bearer(expired.refresh_token)), "401 access_token_invalid"],
      [await send("GET", SESSION, bearer(ended.access_token)), "401 session_revoked"],
    ] as [Response, string][];
    clock.advance(900_000);
    refusals.push([await send("GET", SESSION, bearer(expired.access_token)), "401 access_token_expired"]);
    for (const [response, expected] of refusals) {
      expect(await problemOf(response)).toBe(expected);
      expect(response.headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
    }
  });

  test("is the one that the request names, or none; who has a bearer token names it by that", async () => {
    const { send, signIn, browser } = await startHttp();
    const jar = await browser();
    const own = await signIn();
    const naming = (id: string) => ({ headers: { "Session-Id": id } });
    expect((await jar.send("GET", SESSION, naming(jar.sessionId))).status).toBe(200);
    for (const id of [own.session_id, "", "x".repeat(9_000)]) {
      expect(await problemOf(await jar.send("GET", SESSION, naming(id)))).toBe("401 session_revoked");
      expect(await problemOf(await jar.send("DELETE", SESSIONS, naming(id)))).toBe("401 session_revoked");
    }
    const both = { headers: { ...bearer(own.access_token).headers, ...naming(jar.sessionId).headers } };
    expect((await send("GET", SESSION, both)).status).toBe(200);
  });

  test("comes from the header where both are there, and never from two cookies of two sessions", async () => {
    const { browser, signIn, send } = await startHttp();
    const jar = await browser();
    const own = await signIn();
    const response = await jar.send("GET", SESSION, bearer(own.access_token));
    expect(await readJson(response)).toMatchObject({ session_id: own.session_id });
    const { access } = COOKIES;
    const sent = (...values: string[]) => ({
      headers: { Cookie: values.map((value) => `${access}=${value}`).join("; ") },
    });
    const token = jar.cookies.get(access) ?? "";
    const beside = await send("GET", SESSION, sent("a", token, "b", token));
    expect(await readJson(beside)).toMatchObject({ session_id: jar.sessionId });
    expect(await problemOf(await send("GET", SESSION, sent("a", "b")))).toBe("401 access_token_invalid");
    const doubled = await send("GET", SESSION, sent(token, own.access_token));
    expect(await problemOf(doubled)).toBe("400 invalid_request");
  });
});

describe("the list of alarms", () => {
  test("names the device whose session a reuse has ended, and nothing secret", async () => {
    const { send, signIn, clock } = await startHttp();
    const key = createWalletKeypair();
    const stolen = await signIn(key);
    const body = { refresh_token: stolen.refresh_token };
    await send("POST", "/api/auth/refresh", { body });
    expect(await problemOf(await send("POST", "/api/auth/refresh", { body }))).toBe(
      "401 refresh_token_reused",
    );
    const other = await signIn(key);
    const response = await send("GET", "/api/auth/alarms", bearer(other.access_token));
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await readJson(response)).toEqual({
      alarms: [
        {
          session_id: stolen.session_id,
          at: new Date(clock.now()).toISOString(),
          client: { browser: null, os: null, device: null, ip: null },
        },
      ],
    });
    const stranger = await signIn();
    const none = await send("GET", "/api/auth/alarms", bearer(stranger.access_token));
    expect(await readJson(none)).toEqual({ alarms: [] });
    expect(await problemOf(await send("GET", "/api/auth/alarms"))).toBe("401 access_token_missing");
  });
});

describe("the list of sessions", () => {
  test("has the actor's own live ones, newest first, and nothing secret", async () => {
    const { send, signIn, clock, engine } = await startHttp();
    const key = createWalletKeypair();
    const first = await signIn(key);
    clock.advance(1_000);
    const ended = await signIn(key);
    await engine.revokeByRefreshToken(ended.refresh_token, "admin");
    clock.advance(1_000);
    const second = await signIn(key);
    await signIn();
    const response = await send("GET", SESSIONS, bearer(first.access_token));
    expect(response.headers.get("cache-control")).toBe("no-store");
    const text = await response.text();
    const { sessions } = JSON.parse(text);
    expect(sessions.map(({ id, current }: { id: string; current: boolean }) => [id, current])).toEqual([
      [second.session_id, false],
      [first.session_id, true],
    ]);
    expect(Object.keys(sessions[0])).toEqual([
      "id",
      "current",
      "created_at",
      "last_active_at",
      "idle_expires_at",
      "expires_at",
      "generation",
      "transport",
      "binding",
      "client",
      "proof_failed_at",
    ]);
    expect(Object.keys(sessions[0].client)).toEqual(["browser", "os", "device", "ip"]);
    expect(text).not.toMatch(/hash|salt|wsr1_|eyJ/);
  });

  test("ends one of them, again without complaint, and nobody else's", async () => {
    const { send, signIn, engine } = await startHttp();
    const key = createWalletKeypair();
    const own = await signIn(key);
    const phone = await signIn(key);
    const stranger = await signIn();
    const end = (id: string) => send("DELETE", `${SESSIONS}/${id}`, bearer(own.access_token));
    expect((await end(phone.session_id)).status).toBe(204);
    expect((await end(phone.session_id)).status).toBe(204);
    await expect(engine.authenticate(phone.access_token)).rejects.toMatchObject({ code: "session_revoked" });
    for (const id of [stranger.session_id, "none", "%00", "a%2Fb", "..%2f"]) {
      expect(await problemOf(await end(id))).toBe("404 not_found");
    }
    expect((await send("GET", SESSION, bearer(stranger.access_token))).status).toBe(200);
  });

  test("ends all others, or all", async () => {
    const { send, signIn } = await startHttp();
    const key = createWalletKeypair();
    const own = await signIn(key);
    const others = [await signIn(key), await signIn(key)];
    const answer = await send("DELETE", SESSIONS, bearer(own.access_token));
    expect(await readJson(answer)).toEqual({ revoked: 2 });
    for (const { access_token } of others) {
      const refusal = await send("GET", SESSION, bearer(access_token));
      expect(await problemOf(refusal)).toBe("401 session_revoked");
    }
    const all = await send("DELETE", `${SESSIONS}?scope=all`, bearer(own.access_token));
    expect(await readJson(all)).toEqual({ revoked: 1 });
    const gone = await send("DELETE", `${SESSIONS}?scope=others`, bearer(own.access_token));
    expect(await problemOf(gone)).toBe("401 session_revoked");
  });
});

describe("by cookie", () => {
  test("who ends his own session has an empty jar", async () => {
    const { browser } = await startHttp();
    const one = await browser();
    expect((await one.send("DELETE", `${SESSIONS}/${one.sessionId}`)).status).toBe(204);
    expect(one.cookies.size).toBe(0);
    const all = await browser();
    expect(await readJson(await all.send("DELETE", `${SESSIONS}?scope=all`))).toEqual({ revoked: 1 });
    expect(all.cookies.size).toBe(0);
  });

  test("who ends others keeps his own", async () => {
    const { browser, signIn } = await startHttp();
    const jar = await browser();
    const phone = await signIn(jar.key);
    expect((await jar.send("DELETE", `${SESSIONS}/${phone.session_id}`)).status).toBe(204);
    expect((await jar.send("DELETE", SESSIONS)).status).toBe(200);
    expect((await jar.send("GET", SESSION)).status).toBe(200);
  });

  test("another site ends nothing, and may not call a guarded route that changes something", async () => {
    const { browser, store, handlers } = await startHttp();
    const jar = await browser();
    const before = await store.snapshot();
    const headers = { "Sec-Fetch-Site": "cross-site" };
    for (const path of [SESSIONS, `${SESSIONS}?scope=all`, `${SESSIONS}/${jar.sessionId}`]) {
      expect(await problemOf(await jar.send("DELETE", path, { headers }))).toBe("403 cross_origin");
    }
    expect(await store.snapshot()).toBe(before);
    const post = jar.prepare("POST", "/api/streams", { headers });
    await expect(handlers.guard(post)).rejects.toMatchObject({ code: "cross_origin" });
    const get = jar.prepare("GET", "/api/streams", { headers });
    expect(await handlers.guard(get)).toMatchObject({ sessionId: jar.sessionId });
  });
});

test.each(["everything", "All"])("scope=%s is refused", async (scope) => {
  const { send, signIn } = await startHttp();
  const { access_token } = await signIn();
  const response = await send("DELETE", `${SESSIONS}?scope=${scope}`, bearer(access_token));
  expect(await problemOf(response)).toBe("400 invalid_request");
});

test("a node with an old view of the revocations asks the row before it ends anything", async () => {
  const { send, signIn, store, clock } = await startHttp();
  const { access_token, session_id } = await signIn();
  // Another node's doing, which this one has not heard of.
  await store.real.revokeSession(session_id, { reason: "admin", revokedAt: clock.now() });
  clock.advance(11_000);
  const ended = await send("DELETE", SESSIONS, bearer(access_token));
  expect(await problemOf(ended)).toBe("401 session_revoked");
  store.failing = true;
  const other = await send("DELETE", SESSIONS, bearer(access_token));
  expect(await problemOf(other)).toBe("503 store_unavailable");
});

test("the guard takes a token of its own routes, and problem makes its refusal an answer", async () => {
  const { handlers, signIn } = await startHttp();
  const { access_token, session_id } = await signIn();
  const request = createRequest("POST", "/api/streams", bearer(access_token));
  expect(await handlers.guard(request, { fresh: true })).toMatchObject({ sessionId: session_id });
  const refusal = await handlers.guard(createRequest("POST", "/api/streams")).catch(handlers.problem);
  expect(await problemOf(refusal as Response)).toBe("401 access_token_missing");
});
