import { describe, expect, test } from "vitest";
import { ISSUER } from "../engine/engine.fixture.ts";
import { problemOf, startHttp } from "./http.fixture.ts";
import { safeNextPath } from "./next-path.ts";

const BOUNCE = "/api/auth/refresh?next=%2Fstreams%3Ftab%3D1%23top";
/** As browsers send a navigation, also one that begins on another site. */
const NAVIGATION = { "Sec-Fetch-Site": "cross-site", Accept: "text/html" };

describe("the bounce", () => {
  test("renews the jar and leads back", async () => {
    const { browser, clock } = await startHttp();
    const jar = await browser();
    clock.advance(1_200_000);
    const response = await jar.send("GET", BOUNCE, { headers: NAVIGATION });
    expect(response.status).toBe(303);
    expect(response.headers.get("location")).toBe("/streams?tab=1#top");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.getSetCookie()).toHaveLength(3);
    expect((await jar.send("GET", "/api/auth/session")).status).toBe(200);
  });

  test("leads back without cookies when there is no jar, or it was renewed a moment ago", async () => {
    const { browser, send } = await startHttp();
    const jar = await browser();
    for (const response of [await send("GET", BOUNCE), await jar.send("GET", BOUNCE)]) {
      expect(response.status).toBe(303);
      expect(response.headers.getSetCookie()).toEqual([]);
    }
  });

  test("leads back with an emptied jar when the session is over", async () => {
    const { browser, engine } = await startHttp();
    const jar = await browser();
    await engine.revokeByRefreshToken(jar.cookies.get("__Secure-ws_refresh") ?? "", "admin");
    const response = await jar.send("GET", BOUNCE);
    expect(response.status).toBe(303);
    expect(jar.cookies.size).toBe(0);
  });

  test("takes no token by body: a session by body in the jar is refused and stays good", async () => {
    const { send, signIn, store } = await startHttp();
    const { refresh_token } = await signIn();
    const before = await store.snapshot();
    const response = await send("GET", BOUNCE, {
      headers: { Cookie: `__Secure-ws_refresh=${refresh_token}` },
    });
    expect(response.status).toBe(303);
    expect(await store.snapshot()).toBe(before);
  });

  test("is a problem, not a redirect, when the store fails", async () => {
    const { browser, store, clock } = await startHttp();
    const jar = await browser();
    clock.advance(1_200_000);
    store.failing = true;
    const response = await jar.send("GET", BOUNCE);
    expect(await problemOf(response)).toBe("503 store_unavailable");
    expect(response.headers.get("location")).toBeNull();
    expect(response.headers.getSetCookie()).toEqual([]);
  });

  test.each([
    ["GET", { "Sec-Purpose": "prefetch;prerender" }],
    ["GET", { Purpose: "prefetch" }],
    ["GET", { "X-Moz": "prefetch" }],
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

describe("the way back", () => {
  test.each([
    ["/", "/"],
    ["/streams", "/streams"],
    ["/a/../b?x=/c#d", "/b?x=/c#d"],
    ["/%2e%2e/x", "/x"],
    ["/%0d%0aSet-Cookie:x", "/%0d%0aSet-Cookie:x"],
    ["/ü", "/%C3%BC"],
  ])("%j stays on the site as %j", (next, path) => {
    expect(safeNextPath(next, new URL(ISSUER))).toBe(path);
  });

  test.each([
    null,
    "",
    "streams",
    "https://evil.example/",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "/\tevil",
    "/\n/evil.example",
    "\u0000/x",
    "/\u0085x",
    "/.//evil.example",
    "/a/..//evil.example",
    "/%2e//evil.example",
    "javascript:alert(1)",
    " /x",
    "//pay.example.com@evil.example",
    "/api/auth/refresh",
    "/api/auth/refresh?next=/x",
  ])("%j leads home", (next) => {
    expect(safeNextPath(next, new URL(ISSUER))).toBe("/");
  });
});
