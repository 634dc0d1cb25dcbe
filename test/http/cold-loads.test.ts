// Page loads without a living access cookie, over HTTP: through the proxy and the bounce and back, or to the sign-in page;
// never in a loop, and never for requests that are not navigations.
import { describe, expect, test } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";
import { ACCESS_COOKIE, REFRESH_COOKIE, RETRY_COOKIE, SESSION_COOKIE } from "../support/cookies.ts";
import { dump, storedSession, whileGone } from "../support/database.ts";
import { problemOf } from "../support/http-client.ts";
import { loadPage, NAVIGATION } from "../support/page-load.ts";
import type { SignedInBrowser } from "../support/session-client.ts";

const app = appUnderTest();

const PAGE = "/streams?tab=a%26b";
const SIGN_IN = "/sign-in?next=%2Fstreams%3Ftab%3Da%2526b";
/** Nobody has signed it, and nobody needs to in order to see that it has ended. */
const ENDED_TOKEN = `e30.${Buffer.from(JSON.stringify({ exp: 1 })).toString("base64url")}.AAAA`;
/** A jar as it is after 15 minutes: browsers have dropped the access cookie, or a copy of it has stayed. */
async function jarToRenew(accessToken?: string): Promise<SignedInBrowser> {
  const jar = await app.client.signedInBrowser();
  jar.cookies.delete(ACCESS_COOKIE);
  if (accessToken !== undefined) jar.cookies.set(ACCESS_COOKIE, accessToken);
  return jar;
}

describe("a page that is guarded", () => {
  test.each([
    ["gone", undefined],
    ["ended", ENDED_TOKEN],
    ["garbage", "garbage"],
  ])("with an access cookie that is %s: proxy, bounce, and back with new cookies", async (_, accessToken) => {
    const jar = await jarToRenew(accessToken);
    const opened = await loadPage(jar.send, PAGE);
    expect(opened.paths).toEqual(["/streams", "/api/auth/refresh", "/streams"]);
    expect([opened.addresses[2], opened.last.status]).toEqual([PAGE, 200]);
    expect([...jar.cookies.keys()].sort()).toEqual([ACCESS_COOKIE, REFRESH_COOKIE, SESSION_COOKIE].sort());
    expect(storedSession(app.server, jar.sessionId)).toEqual({ generation: 2, revokedReason: null });
    expect((await jar.send("GET", "/api/auth/session")).json.session_id).toBe(jar.sessionId);
  });

  test("a form that is sent there takes the same way, as a form", async () => {
    const jar = await jarToRenew();
    const headers = { ...NAVIGATION, "Sec-Fetch-Site": "same-origin" };
    const sent = await loadPage(jar.send, PAGE, headers, "POST");
    expect(sent.paths).toEqual(["/streams", "/api/auth/refresh", "/streams"]);
    expect(storedSession(app.server, jar.sessionId)).toEqual({ generation: 2, revokedReason: null });
  });

  test("with a living one opens at once, and touches no cookie", async () => {
    const jar = await app.client.signedInBrowser();
    const opened = await loadPage(jar.send, PAGE);
    expect([opened.addresses, opened.setCookies]).toEqual([[PAGE], []]);
  });

  test("without any session ends at the sign-in page, which knows the way back", async () => {
    const opened = await loadPage(app.client.browser().send, PAGE);
    expect(opened.paths).toEqual(["/streams", "/api/auth/refresh", "/sign-in"]);
    expect([opened.addresses[2], opened.last.status]).toEqual([SIGN_IN, 200]);
  });

  test("of a session that was ended elsewhere does too, and no page load clears the jar", async () => {
    const jar = await jarToRenew();
    await jar.sendUnheard("POST", "/api/auth/logout");
    const opened = await loadPage(jar.send, PAGE);
    expect([opened.addresses[2], opened.last.status]).toEqual([SIGN_IN, 200]);
    expect(opened.setCookies.filter((line) => !line.startsWith(RETRY_COOKIE))).toEqual([]);
  });

  test.each([
    "/streams",
    "/streams/AAAAAAAAAAAAAAAAAAAAAA",
    "/operations/AAAAAAAAAAAAAAAAAAAAAA",
    "/sessions",
  ])("%s is one", async (path) => {
    expect((await loadPage(app.client.browser().send, path)).paths).toEqual([
      path,
      "/api/auth/refresh",
      "/sign-in",
    ]);
  });

  test.each(["/", "/sign-in", "/api/healthz"])("%s is none", async (path) => {
    expect((await loadPage(app.client.browser().send, path)).addresses).toEqual([path]);
  });

  test("in a browser that keeps no cookies never loops", async () => {
    const jar = await jarToRenew();
    jar.cookies.clear();
    const opened = await loadPage(jar.sendUnheard, PAGE);
    expect(opened.addresses.at(-1)).toBe(SIGN_IN);
  });
});

describe("the retry key", () => {
  test("is set before the first send, and a load that loses the bounce's answer is safe with it", async () => {
    const jar = await jarToRenew();
    const away = await jar.send("GET", PAGE, { headers: NAVIGATION });
    expect(away.headers.get("location")).toMatch(/^\/api\/auth\/refresh\?/);
    expect(jar.cookies.get(RETRY_COOKIE)).toMatch(/^[\w-]{16,128}$/);
    const bounce = new URL(away.headers.get("location") ?? "", app.server.publicUrl);
    await jar.sendUnheard("GET", bounce.pathname + bounce.search, { headers: NAVIGATION });

    const again = await loadPage(jar.send, PAGE);
    expect(again.addresses.at(-1)).toBe(PAGE);
    expect(storedSession(app.server, jar.sessionId)).toEqual({ generation: 2, revokedReason: null });
    expect((await jar.send("GET", "/api/auth/session")).status).toBe(200);
  });

  test("that is there already is the one that is used", async () => {
    const jar = await jarToRenew();
    jar.cookies.set(RETRY_COOKIE, "set-by-a-script-0123");
    const away = await jar.send("GET", PAGE, { headers: NAVIGATION });
    expect([away.status, away.setCookies]).toEqual([303, []]);
  });
});

describe("what nobody has opened renews nothing, wherever it is led", () => {
  const FETCH = { Accept: "*/*", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors" };

  test.each<[string, Readonly<Record<string, string>>]>([
    ["a prefetch by the browser", { ...NAVIGATION, "Sec-Purpose": "prefetch" }],
    ["a prerender", { ...NAVIGATION, "Sec-Purpose": "prefetch;prerender" }],
    ["a prefetch of an older browser", { ...NAVIGATION, Purpose: "prefetch" }],
    ["a prefetch by Next's router", { ...FETCH, RSC: "1", "Next-Router-Prefetch": "1" }],
    [
      "a prefetch of a segment",
      { ...FETCH, RSC: "1", "Next-Router-Prefetch": "1", "Next-Router-Segment-Prefetch": "/_tree" },
    ],
    [
      "Next's prefetch in a browser that says nothing",
      { Accept: "text/html", RSC: "1", "Next-Router-Prefetch": "1" },
    ],
    ["Next's router asking for data", { ...FETCH, RSC: "1" }],
  ])("%s", async (_, headers) => {
    const jar = await jarToRenew();
    const before = dump(app.server);
    const opened = await loadPage(jar.send, PAGE, headers);
    expect(opened.setCookies).toEqual([]);
    expect(dump(app.server)).toBe(before);
  });

  test("HEAD", async () => {
    const jar = await jarToRenew();
    const before = dump(app.server);
    const opened = await loadPage(jar.send, PAGE, NAVIGATION, "HEAD");
    expect([opened.setCookies, opened.last.text]).toEqual([[], ""]);
    expect(dump(app.server)).toBe(before);
  });
});

test("a fault of the store on the way is a page that tries again, and the jar stays as it is", async () => {
  const jar = await jarToRenew();
  let held: ReadonlyMap<string, string> = new Map();
  await whileGone(app.server, async () => {
    const { last, addresses } = await loadPage(jar.send, PAGE);
    held = new Map(jar.cookies);
    expect(addresses).toHaveLength(2);
    expect([last.status, last.headers.get("content-type")]).toEqual([503, "text/html; charset=utf-8"]);
    expect(last.headers.get("cache-control")).toBe("no-store");
    expect(last.setCookies).toEqual([]);
    const seconds = last.headers.get("retry-after");
    expect(Number(seconds)).toBeGreaterThan(0);
    expect(last.text).toContain(`<meta http-equiv="refresh" content="${seconds}">`);
    // The page asks for the same address once more, and for as long as it takes.
    const again = await jar.send("GET", addresses[1] ?? "", { headers: NAVIGATION });
    expect(again.status).toBe(503);
  });
  expect(jar.cookies).toEqual(held);
  expect(jar.cookies.has(REFRESH_COOKIE)).toBe(true);
  expect((await loadPage(jar.send, PAGE)).addresses.at(-1)).toBe(PAGE);
  expect(storedSession(app.server, jar.sessionId)).toEqual({ generation: 2, revokedReason: null });
});

test.each([
  "proxy",
  "proxy:proxy:proxy:proxy:proxy",
  "src/proxy:src/proxy:src/proxy:src/proxy:src/proxy",
  "middleware:middleware:middleware:middleware:middleware",
  "pages/_middleware",
])("a request that claims to come from the proxy itself (%s) gains nothing", async (claim) => {
  const { client } = app;
  const spoofed = { ...NAVIGATION, "X-Middleware-Subrequest": claim };
  const opened = await loadPage(client.browser().send, PAGE, spoofed);
  expect(opened.addresses.at(-1)).toBe(SIGN_IN);
  const asked = await client.send("GET", "/api/auth/sessions", { headers: { ...spoofed, Accept: "*/*" } });
  expect(problemOf(asked)).toBe("401 access_token_missing");
});
