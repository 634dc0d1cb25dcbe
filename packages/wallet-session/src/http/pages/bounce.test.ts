import { describe, expect, test } from "vitest";
import type { SessionId } from "../../store.ts";
import { COOKIES, problemOf, startHttp, type TestHttp } from "../http.fixture.ts";
import { REFRESHES_PER_MINUTE } from "../rate-limit.ts";
import { safeNextPath } from "./bounce.ts";

const BOUNCE = "/api/auth/refresh?next=%2Fstreams%3Ftab%3D1%23top";
/** As browsers send a navigation, also one that begins on another site. */
const NAVIGATION = { "Sec-Fetch-Site": "cross-site", Accept: "text/html" };
const DAY_MS = 86_400_000;

type SignedIn = Awaited<ReturnType<TestHttp["browser"]>>;
const refreshTokenOf = (jar: SignedIn) => jar.cookies.get(COOKIES.refresh) ?? "";

describe("the bounce", () => {
  test("renews the jar and leads back", async () => {
    const { browser, clock } = await startHttp();
    const jar = await browser();
    clock.advance(1_200_000);
    const response = await jar.send("GET", BOUNCE, { headers: NAVIGATION });
    expect(response.status).toBe(303);
    expect(response.headers.get("location")).toBe("/streams?tab=1#top");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.getSetCookie()).toHaveLength(4);
    expect((await jar.send("GET", "/api/auth/session")).status).toBe(200);
  });

  test("sets a retry key first where a browser's jar has none, so an answer that is lost is found again", async () => {
    const { browser, clock, handlers, events } = await startHttp();
    const jar = await browser();
    const browsers = { ...NAVIGATION, "Sec-Fetch-Dest": "document" };
    /** As browsers follow redirects; the last answer is lost on its way. */
    async function load(path: string, lost: boolean): Promise<Response> {
      const request = jar.prepare("GET", path, { headers: browsers });
      const response = await handlers.fetch(request);
      const location = new URL(response.headers.get("location") ?? "", request.url);
      if (lost && location.pathname === "/streams") return response;
      jar.keep(response);
      return location.pathname === "/streams" ? response : load(location.pathname + location.search, lost);
    }
    for (let life = 1; life <= 3; life++) {
      clock.advance(1_200_000);
      // The page has set a key, and a renewal in a tab deletes it before the bounce.
      jar.cookies.delete(COOKIES.retry);
      await load(BOUNCE, true);
      clock.advance(600_000);
      const response = await load(BOUNCE, false);
      expect(new URL(response.headers.get("location") ?? "", "http://here").search).toBe("?tab=1");
      expect((await jar.send("GET", "/api/auth/session")).status).toBe(200);
    }
    expect(events.map(({ type }) => type)).not.toContain("reuse_detected");
    expect(jar.cookies.has(COOKIES.retry)).toBe(false);
  });

  test("goes on without a retry key where a browser keeps none, and sets none for a jar that counts for nothing", async () => {
    const { browser, clock, send } = await startHttp();
    const jar = await browser();
    const headers = { ...NAVIGATION, "Sec-Fetch-Dest": "document" };
    clock.advance(1_200_000);
    const hop = await jar.send("GET", BOUNCE, { headers });
    jar.cookies.delete(COOKIES.retry);
    const location = hop.headers.get("location") ?? "";
    expect(location).toMatch(/^\?next=%2Fstreams%3Ftab%3D1%23top&keyed=1$/);
    const response = await jar.send("GET", `/api/auth/refresh${location}`, { headers });
    expect(response.headers.get("location")).toBe("/streams?tab=1#top");
    for (const cookie of ["", `${COOKIES.refresh}=garbage`]) {
      const answer = await send("GET", BOUNCE, { headers: { ...headers, cookie } });
      expect(answer.headers.get("location")).toBe("/streams?tab=1#top");
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
  });

  test("leads back without cookies when there is no jar, or it was renewed a moment ago", async () => {
    const { browser, send } = await startHttp();
    const jar = await browser();
    for (const response of [await send("GET", BOUNCE), await jar.send("GET", BOUNCE)]) {
      expect(response.status).toBe(303);
      expect(response.headers.getSetCookie()).toEqual([]);
    }
  });

  test("leads back and clears nothing when the session is over: its answer may come after a sign-in's", async () => {
    const { browser, engine } = await startHttp();
    const jar = await browser();
    await engine.revokeByRefreshToken(refreshTokenOf(jar), "admin");
    const response = await jar.send("GET", BOUNCE);
    expect(response.status).toBe(303);
    expect(response.headers.getSetCookie()).toEqual([]);
  });

  test("takes no token by body: a session by body in the jar is refused and stays good", async () => {
    const { send, signIn, store } = await startHttp();
    const { refresh_token } = await signIn();
    const before = await store.snapshot();
    const response = await send("GET", BOUNCE, {
      headers: { Cookie: `${COOKIES.refresh}=${refresh_token}` },
    });
    expect(response.status).toBe(303);
    expect(await store.snapshot()).toBe(before);
  });

  test("is a problem, not a redirect, when the store fails", async () => {
    const { browser, store, clock } = await startHttp();
    const jar = await browser();
    clock.advance(1_200_000);
    store.failing = true;
    const response = await jar.send("GET", BOUNCE, { headers: { Accept: "*/*" } });
    expect(await problemOf(response)).toBe("503 store_unavailable");
    expect(response.headers.get("location")).toBeNull();
    expect(response.headers.getSetCookie()).toEqual([]);
  });

  test("is a page that tries again by itself when a person meets the fault", async () => {
    const { browser, store, clock } = await startHttp();
    const jar = await browser();
    clock.advance(1_200_000);
    store.failing = true;
    const response = await jar.send("GET", BOUNCE, { headers: NAVIGATION });
    expect(response.status).toBe(503);
    const { headers } = response;
    expect([headers.get("content-type"), headers.get("cache-control"), headers.get("retry-after")]).toEqual([
      "text/html; charset=utf-8",
      "no-store",
      "2",
    ]);
    expect([headers.get("location"), headers.getSetCookie()]).toEqual([null, []]);
    const page = await response.text();
    expect(page).toContain('<meta http-equiv="refresh" content="2">');
    expect(page).not.toContain("streams");
    expect(page).not.toContain("disk");

    store.failing = false;
    expect((await jar.send("GET", BOUNCE, { headers: NAVIGATION })).status).toBe(303);
  });

  test("is that page too for too many at once, and a problem for what repeating does not mend", async () => {
    const { browser, clock, faults } = await startHttp({ rateLimit: true });
    const jar = await browser();
    clock.advance(1_200_000);
    const requests = Array.from({ length: REFRESHES_PER_MINUTE + 1 }, () =>
      jar.send("GET", BOUNCE, { headers: NAVIGATION }),
    );
    const refused = (await Promise.all(requests)).filter(({ status }) => status !== 303);
    expect(refused.map(({ status }) => status)).toEqual([429]);
    expect(await refused[0]?.text()).toContain("tries again");

    const twice = await jar.send("GET", `${BOUNCE}&next=%2F`, { headers: NAVIGATION });
    expect(await problemOf(twice)).toBe("400 invalid_request");
    expect(faults).toEqual([]);
  });

  test.each([
    ["GET", { "Sec-Purpose": "prefetch;prerender" }],
    ["GET", { Purpose: "prefetch" }],
    ["GET", { "X-Moz": "prefetch" }],
    ["GET", { "Next-Router-Prefetch": "1" }],
    ["GET", { "Next-Router-Segment-Prefetch": "/_tree" }],
    ["GET", { RSC: "1" }],
    ["HEAD", {}],
  ])("never rotates for what nobody has opened: %s %o", async (method, headers: Record<string, string>) => {
    const { browser, store, clock } = await startHttp();
    const jar = await browser();
    clock.advance(1_200_000);
    const before = await store.snapshot();
    const response = await jar.send(method, BOUNCE, { headers });
    expect(response.status).toBe(204);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(await store.snapshot()).toBe(before);
  });

  test("refuses two ways back", async () => {
    const { send } = await startHttp();
    const response = await send("GET", "/api/auth/refresh?next=/a&next=/b");
    expect(await problemOf(response)).toBe("400 invalid_request");
  });
});

describe("a form or a server action on its way", () => {
  const ON = `/api/auth/refresh?${new URLSearchParams({ next: "/a?b=c", else: "/elsewhere" })}`;
  const FORM = { headers: { Accept: "text/html" }, body: "a form of any length and kind".repeat(1_000) };
  const ACTION = { headers: { Accept: "text/x-component", "Next-Action": "00c0ffee", RSC: "1" } };

  test.each([
    ["a form", FORM],
    ["an action", ACTION],
  ])("%s goes on as it is, with new cookies, once", async (_, sent) => {
    const { browser, clock, store } = await startHttp();
    const jar = await browser();
    clock.advance(1_200_000);
    for (const cookies of [4, 0]) {
      const response = await jar.send("POST", ON, sent);
      expect([response.status, response.headers.get("location")]).toEqual([307, "/a?b=c"]);
      expect(response.headers.get("cache-control")).toBe("no-store");
      expect(response.headers.getSetCookie()).toHaveLength(cookies);
    }
    expect((await store.real.findSession(jar.sessionId as SessionId))?.generation).toBe(2);
  });

  test("of two tabs at once, one rotates and both go on", async () => {
    const { browser, handlers, clock, store } = await startHttp();
    const jar = await browser();
    clock.advance(1_200_000);
    const requests = [jar.prepare("POST", ON, FORM), jar.prepare("POST", ON, ACTION)];
    const answers = await Promise.all(requests.map((request) => handlers.fetch(request)));
    expect(answers.map(({ status }) => status)).toEqual([307, 307]);
    expect((await store.real.findSession(jar.sessionId as SessionId))?.generation).toBe(2);
    for (const answer of answers) jar.keep(answer);
    expect((await jar.send("GET", "/api/auth/session")).status).toBe(200);
  });

  test("where the session is over, a form becomes a page load of `else`, and an action goes there as it is", async () => {
    const { browser, engine } = await startHttp();
    const jar = await browser();
    await engine.revokeSessions(jar.key.account, null);
    const form = await jar.send("POST", ON, FORM);
    expect([form.status, form.headers.get("location")]).toEqual([303, "/elsewhere?reason=session_revoked"]);
    const action = await jar.send("POST", ON, ACTION);
    expect([action.status, action.headers.get("location")]).toEqual([307, "/elsewhere"]);
    for (const { headers } of [form, action]) expect(headers.getSetCookie()).toEqual([]);
  });

  test.each([
    { "Sec-Fetch-Site": "cross-site" },
    { "Sec-Fetch-Site": "same-site" },
    { "Sec-Fetch-Site": "none" },
  ])("of another origin it renews nothing and goes nowhere: %j", async (headers) => {
    const { browser, clock, store } = await startHttp();
    const jar = await browser();
    clock.advance(1_200_000);
    const before = await store.snapshot();
    const response = await jar.send("POST", ON, { ...FORM, headers });
    expect(await problemOf(response)).toBe("403 cross_origin");
    expect(await store.snapshot()).toBe(before);
  });

  test("a fault is a page that a person reloads, since one that loads itself would drop the form", async () => {
    const { browser, store, clock } = await startHttp();
    const jar = await browser();
    clock.advance(1_200_000);
    store.failing = true;
    const form = await jar.send("POST", ON, FORM);
    expect([form.status, form.headers.get("retry-after"), form.headers.getSetCookie()]).toEqual([
      503,
      "2",
      [],
    ]);
    const page = await form.text();
    expect(page).toContain("Reload this page");
    expect(page).not.toContain("http-equiv");
    expect(await problemOf(await jar.send("POST", ON, ACTION))).toBe("503 store_unavailable");
    store.failing = false;
    expect((await jar.send("POST", ON, FORM)).status).toBe(307);
  });
});

describe("where there is no session any more", () => {
  const OR_SIGN_IN = `/api/auth/refresh?${new URLSearchParams({ next: "/streams", else: "/sign-in?next=%2Fstreams" })}`;
  const SIGN_IN = "/sign-in?next=%2Fstreams";

  test("nothing in the jar, a session signed out of, garbage, a session by body: `else`", async () => {
    const { browser, engine, send, signIn } = await startHttp();
    const jar = await browser();
    await engine.revokeByRefreshToken(refreshTokenOf(jar), "logout");
    const { refresh_token } = await signIn();
    const refresh = (token: string) => ({ headers: { Cookie: `${COOKIES.refresh}=${token}` } });
    for (const response of [
      await send("GET", OR_SIGN_IN),
      await jar.send("GET", OR_SIGN_IN),
      await send("GET", OR_SIGN_IN, refresh("garbage")),
      await send("GET", OR_SIGN_IN, refresh(refresh_token)),
    ]) {
      expect([response.status, response.headers.get("location")]).toEqual([303, SIGN_IN]);
    }
  });

  const ENDS: [string, string, (http: TestHttp, jar: SignedIn) => Promise<unknown>][] = [
    [
      "another device ended it",
      "session_revoked",
      ({ engine }, jar) => engine.revokeSessions(jar.key.account, null),
    ],
    [
      "an operator ended it",
      "ended_by_operator",
      ({ engine }, jar) => engine.revokeByRefreshToken(refreshTokenOf(jar), "admin"),
    ],
    [
      "nobody renewed it for too long",
      "refresh_token_expired",
      async ({ clock }) => clock.advance(8 * DAY_MS),
    ],
    [
      "a copy of a spent token was used, and the alarm was raised before",
      "refresh_token_reused",
      async ({ send, clock }, jar) => {
        const stolen = refreshTokenOf(jar);
        clock.advance(1_200_000);
        await jar.send("POST", "/api/auth/refresh");
        clock.advance(60_000);
        await send("POST", "/api/auth/refresh", {
          headers: { Cookie: `${COOKIES.refresh}=${stolen}`, "Sec-Fetch-Site": "same-origin" },
        });
      },
    ],
    [
      "a copy was used first, and this load raises the alarm",
      "refresh_token_reused",
      async ({ send, clock }, jar) => {
        const Cookie = `${COOKIES.refresh}=${refreshTokenOf(jar)}; ${COOKIES.session}=${jar.sessionId}`;
        const copy = { headers: { Cookie } };
        clock.advance(1_200_000);
        await send("GET", BOUNCE, copy);
        clock.advance(60_000);
      },
    ],
  ];
  test.each(ENDS)("%s: `else` is told so in one of four codes", async (_, reason, happen) => {
    const http = await startHttp();
    const jar = await http.browser();
    await happen(http, jar);
    const response = await jar.send("GET", OR_SIGN_IN);
    expect([response.status, response.headers.get("location")]).toEqual([303, `${SIGN_IN}&reason=${reason}`]);
    expect(response.headers.getSetCookie()).toEqual([]);
  });

  test.each([
    ["/sign-in", "/sign-in?reason=session_revoked"],
    ["/sign-in?reason=made-up&next=%2Fa&reason=again#form", "/sign-in?reason=session_revoked&next=%2Fa#form"],
    ["//evil.example", "/?reason=session_revoked"],
    ["/.//evil.example?a=b", "/?reason=session_revoked"],
  ])("the way there through %s is %s", async (otherwise, location) => {
    const { browser, engine } = await startHttp();
    const jar = await browser();
    await engine.revokeSessions(jar.key.account, null);
    const query = new URLSearchParams({ next: "/streams", else: otherwise });
    const response = await jar.send("GET", `/api/auth/refresh?${query}`);
    expect(response.headers.get("location")).toBe(location);
  });

  test("a living one: `next`, whether it was renewed now or a moment ago", async () => {
    const { browser, clock } = await startHttp();
    const jar = await browser();
    expect((await jar.send("GET", OR_SIGN_IN)).headers.get("location")).toBe("/streams");
    clock.advance(1_200_000);
    expect((await jar.send("GET", OR_SIGN_IN)).headers.get("location")).toBe("/streams");
  });

  test("only the refresh cookie is gone: `next` as long as the access cookie is good", async () => {
    const { browser, clock } = await startHttp();
    const jar = await browser();
    jar.cookies.delete(COOKIES.refresh);
    expect((await jar.send("GET", OR_SIGN_IN)).headers.get("location")).toBe("/streams");
    clock.advance(1_200_000);
    expect((await jar.send("GET", OR_SIGN_IN)).headers.get("location")).toBe(SIGN_IN);
  });

  test("a refused token beside another session's good access cookie: `next`, and every cookie stays", async () => {
    const { browser } = await startHttp();
    const [old, jar] = [await browser(), await browser()];
    jar.cookies.set(COOKIES.refresh, old.cookies.get(COOKIES.refresh) ?? "");
    expect((await old.send("POST", "/api/auth/logout")).status).toBe(204);
    const response = await jar.send("GET", OR_SIGN_IN);
    expect([response.headers.get("location"), response.headers.getSetCookie()]).toEqual(["/streams", []]);
  });

  test("replaced by a sign-in whose answer never came: `else`, not a loop", async () => {
    const { browser, handlers, answerFor } = await startHttp();
    const jar = await browser();
    const signIn = jar.prepare("POST", "/api/auth/wallet", {
      body: await answerFor(),
      headers: { "Session-Transport": "cookie" },
    });
    expect((await handlers.fetch(signIn)).status).toBe(200);
    const response = await jar.send("GET", OR_SIGN_IN);
    expect([response.headers.get("location"), response.headers.getSetCookie()]).toEqual([SIGN_IN, []]);
  });

  test("a fault while the jar is looked at is no verdict on it", async () => {
    const { browser, clock, store } = await startHttp();
    const jar = await browser();
    clock.advance(1_200_000);
    store.failing = true;
    expect((await jar.send("GET", OR_SIGN_IN)).status).toBe(503);
    expect(jar.cookies.size).toBe(3);
  });

  test("`else` must be a path of this site too", async () => {
    const { send } = await startHttp();
    const response = await send("GET", "/api/auth/refresh?next=/a&else=//evil.example");
    expect(response.headers.get("location")).toBe("/");
    expect(await problemOf(await send("GET", "/api/auth/refresh?else=/a&else=/b"))).toBe(
      "400 invalid_request",
    );
  });
});

describe("beside a refresh by a script", () => {
  test.each([
    ["the page load's answer last", ["script", "load"]],
    ["the script's answer last", ["load", "script"]],
  ] as const)("%s: one rotation, and the jar ends with its token", async (_, order) => {
    const { browser, handlers, clock, store } = await startHttp();
    const jar = await browser();
    clock.advance(1_200_000);
    const requests = {
      load: jar.prepare("GET", BOUNCE, { headers: NAVIGATION }),
      script: jar.prepare("POST", "/api/auth/refresh"),
    };
    const [load, script] = await Promise.all([
      handlers.fetch(requests.load),
      handlers.fetch(requests.script),
    ]);
    const answers = { load, script };
    for (const name of order) jar.keep(answers[name]);
    expect((await store.real.findSession(jar.sessionId as SessionId))?.generation).toBe(2);
    clock.advance(1_200_000);
    expect((await jar.send("POST", "/api/auth/refresh")).status).toBe(200);
  });

  test("a page load that was sent before a refresh and is served after it changes nothing that is newer", async () => {
    const { browser, handlers, clock } = await startHttp();
    const jar = await browser();
    clock.advance(1_200_000);
    const late = jar.prepare("GET", BOUNCE, { headers: NAVIGATION });
    await jar.send("POST", "/api/auth/refresh");
    const renewed = jar.cookies.get(COOKIES.refresh);
    clock.advance(29_000);
    jar.keep(await handlers.fetch(late));
    expect(jar.cookies.get(COOKIES.refresh)).toBe(renewed);
    expect((await jar.send("GET", "/api/auth/session")).status).toBe(200);
  });

  test("a jar that a page load has just filled is not rotated again: an answer of before could overtake", async () => {
    const { browser, clock } = await startHttp();
    const jar = await browser();
    clock.advance(1_200_000);
    await jar.send("GET", BOUNCE, { headers: NAVIGATION });
    clock.advance(59_000);
    for (const [method, path] of [
      ["POST", "/api/auth/refresh"],
      ["GET", BOUNCE],
    ] as const) {
      expect((await jar.send(method, path)).headers.getSetCookie()).toEqual([]);
    }
  });
});

test.each([
  ["/a/../b?x=/c#d", "/b?x=/c#d"],
  ["/api/auth/refresh/x", "/api/auth/refresh/x"],
  [null, "/"],
  ["//evil.example", "/"],
  ["/api/auth/refresh", "/"],
  ["/api/auth/refresh?next=/x", "/"],
  ["/api/auth/./refresh#x", "/"],
])("the way back to %j leads to %j", (next, path) => {
  expect(safeNextPath(next, "/api/auth/refresh")).toBe(path);
});
