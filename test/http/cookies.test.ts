// Sessions by cookie over HTTP: what a browser keeps, sends and is refused.
import { describe, expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { appUnderTest } from "../support/app-under-test.ts";
import { ACCESS_COOKIE, REFRESH_COOKIE, RETRY_COOKIE, SESSION_COOKIE } from "../support/cookies.ts";
import { age, dump, storedSession } from "../support/database.ts";
import { problemOf } from "../support/http-client.ts";
import { newRetryKey, type SignedInBrowser } from "../support/session-client.ts";

const app = appUnderTest();

const CLEARED = [
  `${ACCESS_COOKIE}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax`,
  `${REFRESH_COOKIE}=; Max-Age=0; Path=/api/auth; HttpOnly; Secure; SameSite=Lax`,
  `${SESSION_COOKIE}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax`,
  `${RETRY_COOKIE}=; Max-Age=0; Path=/; Secure; SameSite=Lax`,
];
const NEW_TOKENS = [
  expect.stringMatching(
    new RegExp(`^${ACCESS_COOKIE}=eyJ[\\w.-]+; Max-Age=900; Path=/; HttpOnly; Secure; SameSite=Lax$`),
  ),
  expect.stringMatching(
    new RegExp(
      `^${REFRESH_COOKIE}=wsr1_[\\w-]{96}; Max-Age=604800; Path=/api/auth; HttpOnly; Secure; SameSite=Lax$`,
    ),
  ),
  expect.stringMatching(
    new RegExp(`^${SESSION_COOKIE}=[\\w-]{22}; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=Lax$`),
  ),
  `${RETRY_COOKIE}=; Max-Age=0; Path=/; Secure; SameSite=Lax`,
];

const cookieHeader = ({ cookies }: SignedInBrowser) => ({
  Cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; "),
});

/** A jar as it is after 15 minutes: its access token has gone. */
async function jarToRenew(): Promise<SignedInBrowser> {
  const jar = await app.client.signedInBrowser();
  jar.cookies.delete(ACCESS_COOKIE);
  return jar;
}

describe("the cookies", () => {
  test("of a sign-in are the documented ones, and its body holds no token", async () => {
    const browser = app.client.browser();
    const answer = await browser.send("POST", "/api/auth/wallet", {
      body: await app.client.answerFor(),
      headers: { "Session-Transport": "cookie" },
    });
    expect(answer.setCookies).toEqual(NEW_TOKENS);
    expect(Object.keys(answer.json)).toEqual([
      "token_type",
      "expires_in",
      "refresh_expires_in",
      "session_id",
    ]);
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  test("of a refresh are new, and the retry key has done its work", async () => {
    const jar = await jarToRenew();
    jar.cookies.set(RETRY_COOKIE, newRetryKey());
    const answer = await jar.send("POST", "/api/auth/refresh");
    expect(answer.setCookies).toEqual(NEW_TOKENS);
    expect(Object.keys(answer.json)).toEqual([
      "token_type",
      "expires_in",
      "refresh_expires_in",
      "session_id",
    ]);
    expect([...jar.cookies.keys()]).toEqual([REFRESH_COOKIE, SESSION_COOKIE, ACCESS_COOKIE]);
    expect(storedSession(app.server, jar.sessionId).generation).toBe(2);
  });

  test("live no longer than the session", async () => {
    const jar = await jarToRenew();
    age(app.server, jar.sessionId, "expires_at", 60);
    const { setCookies } = await jar.send("POST", "/api/auth/refresh");
    const ages = setCookies.map((line) => Number(/Max-Age=(\d+)/.exec(line)?.[1]));
    expect(Math.max(...ages)).toBeLessThanOrEqual(60);
  });

  test("are left as they are while the access cookie is young", async () => {
    const jar = await app.client.signedInBrowser();
    const before = dump(app.server);
    const answer = await jar.send("POST", "/api/auth/refresh");
    expect([answer.status, answer.setCookies, answer.json.session_id]).toEqual([200, [], jar.sessionId]);
    expect(answer.json.expires_in).toBeLessThanOrEqual(900);
    expect(dump(app.server)).toBe(before);
  });

  test.each([
    ["an ended session", "refresh_token_revoked"],
    ["an expired session", "refresh_token_expired"],
  ])("of %s are cleared with the refusal", async (_, code) => {
    const jar = await jarToRenew();
    if (code === "refresh_token_expired") age(app.server, jar.sessionId, "idle_expires_at");
    else await jar.sendUnheard("POST", "/api/auth/logout");
    const answer = await jar.send("POST", "/api/auth/refresh");
    expect([problemOf(answer), answer.setCookies]).toEqual([`401 ${code}`, CLEARED]);
    expect(jar.cookies.size).toBe(0);
  });

  test("of an earlier session are not cleared from a jar that holds a newer one", async () => {
    const jar = await app.client.signedInBrowser();
    const old = cookieHeader(jar);
    await jar.send("POST", "/api/auth/wallet", {
      body: await app.client.answerFor(jar.key),
      headers: { "Session-Transport": "cookie" },
    });
    const late = await jar.send("POST", "/api/auth/refresh", { headers: old });
    expect([problemOf(late), late.setCookies]).toEqual(["401 refresh_token_revoked", []]);
    expect((await jar.send("GET", "/api/auth/session")).status).toBe(200);
  });
});

describe("a lost answer by cookie", () => {
  test("is replayed within the leeway, without a key", async () => {
    const jar = await jarToRenew();
    const lost = await jar.sendUnheard("POST", "/api/auth/refresh");
    const again = await jar.send("POST", "/api/auth/refresh");
    expect(again.status).toBe(200);
    expect(lost.setCookies[1]).toContain(`=${jar.cookies.get(REFRESH_COOKIE)};`);
    expect(storedSession(app.server, jar.sessionId)).toEqual({ generation: 2, revokedReason: null });
  });

  test("two generations back is reuse, also within the leeway", async () => {
    const jar = await jarToRenew();
    const old = cookieHeader(jar);
    for (let i = 0; i < 2; i++) {
      await jar.send("POST", "/api/auth/refresh");
      jar.cookies.delete(ACCESS_COOKIE);
    }
    const thief = await jar.sendUnheard("POST", "/api/auth/refresh", { headers: old });
    expect([problemOf(thief), thief.setCookies]).toEqual(["401 refresh_token_reused", CLEARED]);
    expect(problemOf(await jar.send("POST", "/api/auth/refresh"))).toBe("401 refresh_token_revoked");
  });
});

describe("a request by cookie from elsewhere is refused and changes nothing", () => {
  const ELSEWHERE: [string, Record<string, string>][] = [
    ["another origin", { Origin: "https://evil.example" }],
    ["an opaque origin", { Origin: "null" }],
    ["another site", { "Sec-Fetch-Site": "cross-site" }],
    ["a neighbour, whatever Origin says", { "Sec-Fetch-Site": "same-site", Origin: "PUBLIC_URL" }],
    ["no page at all", {}],
  ];
  const REQUESTS: [string, string][] = [
    ["POST", "/api/auth/refresh"],
    ["POST", "/api/auth/logout"],
    ["DELETE", "/api/auth/sessions?scope=all"],
  ];

  test.each(ELSEWHERE)("%s", async (_, given) => {
    const { client, server } = app;
    const jar = await client.signedInBrowser();
    const headers = {
      ...given,
      ...(given.Origin === "PUBLIC_URL" && { Origin: server.publicUrl }),
      ...cookieHeader(jar),
    };
    const before = dump(server);
    for (const [method, path] of [...REQUESTS, ["DELETE", `/api/auth/sessions/${jar.sessionId}`] as const]) {
      const answer = await client.send(method, path, { headers });
      expect([method, path, problemOf(answer)]).toEqual([method, path, "403 cross_origin"]);
      expect(answer.setCookies).toEqual([]);
    }
    const signIn = await client.send("POST", "/api/auth/wallet", {
      headers: { ...headers, "Session-Transport": "cookie" },
      body: await client.answerFor(),
    });
    expect(problemOf(signIn)).toBe("403 cross_origin");
    expect(dump(server)).toBe(before);
  });

  test("but a page of ours is served, in browsers old and new", async () => {
    const { client, server } = app;
    for (const headers of [{ "Sec-Fetch-Site": "same-origin" }, { Origin: server.publicUrl }]) {
      const jar = await client.signedInBrowser();
      const answer = await client.send("POST", "/api/auth/refresh", {
        headers: { ...headers, ...cookieHeader(jar) },
      });
      expect(answer.status).toBe(200);
    }
  });
});

describe("a token that comes by the wrong transport is refused, and its session is not touched", () => {
  test("a body session's in a cookie", async () => {
    const { client, server } = app;
    const { refreshToken } = await client.signIn();
    const before = dump(server);
    const answer = await client.send("POST", "/api/auth/refresh", {
      headers: { Origin: server.publicUrl, Cookie: `${REFRESH_COOKIE}=${refreshToken}` },
    });
    expect(problemOf(answer)).toBe("401 refresh_token_invalid");
    expect(dump(server)).toBe(before);
    expect((await client.refresh(refreshToken)).status).toBe(200);
  });

  test("a cookie session's in a body", async () => {
    const { client, server } = app;
    const jar = await jarToRenew();
    const before = dump(server);
    const answer = await client.refresh(jar.cookies.get(REFRESH_COOKIE) ?? "", newRetryKey());
    expect(problemOf(answer)).toBe("401 refresh_token_invalid");
    expect(dump(server)).toBe(before);
    expect((await jar.send("POST", "/api/auth/refresh")).status).toBe(200);
  });
});

describe("the bounce", () => {
  test("renews the jar and comes back, also on a navigation from another site", async () => {
    const jar = await jarToRenew();
    const answer = await jar.send("GET", "/api/auth/refresh?next=%2Fsession%3Ftab%3D2%23top", {
      headers: { Origin: "null", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate" },
    });
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/session?tab=2#top"]);
    expect(answer.setCookies).toEqual(NEW_TOKENS);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect((await jar.send("GET", "/api/auth/session")).status).toBe(200);
  });

  test.each([
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "/.//evil.example",
    "/%2e//evil.example",
    "javascript:alert(1)",
    "session",
    "/api/auth/refresh?next=/",
    "",
  ])("goes home instead of to %j", async (next) => {
    const jar = await jarToRenew();
    const answer = await jar.send("GET", `/api/auth/refresh?next=${encodeURIComponent(next)}`);
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/"]);
  });

  test("of an ended session comes back too, and clears nothing: its answer may be late", async () => {
    const jar = await jarToRenew();
    await jar.sendUnheard("POST", "/api/auth/logout");
    const ended = await jar.send("GET", "/api/auth/refresh?next=/session");
    expect([ended.status, ended.headers.get("location"), ended.setCookies]).toEqual([303, "/session", []]);
  });

  test("does nothing for a prefetch or HEAD", async () => {
    const jar = await jarToRenew();
    const before = dump(app.server);
    const prefetch = await jar.send("GET", "/api/auth/refresh?next=/", {
      headers: { "Sec-Purpose": "prefetch" },
    });
    const head = await jar.send("HEAD", "/api/auth/refresh?next=/");
    expect([prefetch.status, prefetch.setCookies, head.status, head.setCookies]).toEqual([204, [], 204, []]);
    expect(dump(app.server)).toBe(before);
  });
});

test("a refresh token in the body and in a cookie at once is refused", async () => {
  const { client, server } = app;
  const jar = await jarToRenew();
  const refresh_token = jar.cookies.get(REFRESH_COOKIE);
  const before = dump(server);
  for (const Cookie of [`${REFRESH_COOKIE}=${refresh_token}`, cookieHeader(jar).Cookie]) {
    const headers = { Origin: server.publicUrl, Cookie };
    const answer = await client.send("POST", "/api/auth/refresh", { headers, body: { refresh_token } });
    expect([problemOf(answer), answer.setCookies]).toEqual(["400 invalid_request", []]);
  }
  expect(dump(server)).toBe(before);
});

test("a bearer token that a script writes for none does not hide a good cookie", async () => {
  const jar = await app.client.signedInBrowser();
  for (const token of ["undefined", "null", "[object Object]"]) {
    const headers = { Authorization: `Bearer ${token}` };
    expect((await jar.send("GET", "/api/auth/session", { headers })).status).toBe(200);
  }
});

test("a challenge by cookie tells a browser that shows no cookie, until it shows one", async () => {
  const path = `/api/auth/wallet?account=${createWalletKeypair().account}`;
  const headers = { "Session-Transport": "cookie" };
  const browser = app.client.browser();
  const told = [];
  for (let i = 0; i < 2; i++) {
    told.push((await browser.send("GET", path, { headers })).headers.get("session-cookies"));
  }
  expect(told).toEqual(["none", null]);
});
