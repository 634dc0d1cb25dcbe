// Page loads of sessions that are bound to a device key: the browser renews them, and nobody is led in a loop.
import { describe, expect, test } from "vitest";
import type { DeviceBrowser } from "../../../test/device-browser.ts";
import {
  accessOf,
  boundBrowser,
  cookieHeader,
  MINUTE,
  REFRESH,
  startDevices,
  type TestDevices,
} from "../device.fixture.ts";
import { COOKIES, createRequest, problemOf } from "../http.fixture.ts";

const PAGE = "/account";
const NAVIGATION = { Accept: "text/html", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "none" };

/** With a page that asks who is there, as the loader of a framework does. */
async function startPages(options: Parameters<typeof startDevices>[0] = {}) {
  const http = await startDevices(options);
  const { handlers } = http;
  const serve = handlers.fetch;
  handlers.fetch = async (request) => {
    const { pathname } = new URL(request.url);
    if (handlers.serves(pathname)) return serve(request);
    if (pathname !== PAGE) return new Response("Sign in");
    const session = await handlers.guardPage(request, { signInPath: "/sign-in" });
    return session instanceof Response ? session : new Response(session.sessionId);
  };
  return http;
}

/** What a program gets that has a copy of the jar, follows redirects, and keeps cookies. */
async function openBy(
  http: TestDevices,
  jar: ReturnType<DeviceBrowser["jar"]>,
  headers: Record<string, string> = {},
) {
  let at = PAGE;
  for (let hops = 0; hops < 20; hops += 1) {
    const request = createRequest("GET", at, {
      headers: { Cookie: cookieHeader(jar), ...NAVIGATION, ...headers },
    });
    const response = await http.handlers.fetch(request);
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = "", maxAge] = /^([^=]+)=([^;]*); Max-Age=(\d+)/.exec(line) ?? [];
      if (maxAge === "0") jar.delete(name);
      else jar.set(name, { value, path: "/", endsAt: Number.POSITIVE_INFINITY });
    }
    const location = response.headers.get("location");
    if (location === null) return { response, at };
    const { pathname, search } = new URL(location, request.url);
    at = pathname + search;
  }
  throw new Error("It is led in a loop.");
}

test("a page load that lacks the cookie is held until the browser has it: no redirect", async () => {
  const http = await startPages();
  const browser = await boundBrowser(http);
  for (let life = 1; life <= 5; life += 1) {
    http.clock.advance(15 * MINUTE);
    const { response, hops } = await browser.open(PAGE);
    expect([await response.text(), hops]).toEqual([browser.sessionId, 0]);
  }
});

test("a browser whose cookie the page does not take is told to renew it, and comes back", async () => {
  const http = await startPages();
  const browser = await boundBrowser(http);
  const access = accessOf(browser);
  if (access === undefined) throw new Error("There is no access cookie.");
  // Its clock is behind: it keeps what has ended.
  http.clock.advance(16 * MINUTE);
  access.endsAt = http.clock.now() + 10 * MINUTE;
  const before = browser.log.length;
  const { response, hops } = await browser.open(PAGE);
  expect(await response.text()).toBe(browser.sessionId);
  expect(hops).toBeLessThanOrEqual(4);
  expect(browser.log.slice(before)).toContain("refresh 200");
  expect(http.events.filter(({ type }) => type === "proof_failed")).toEqual([]);
});

test("a form comes back with its body, once its browser has proved its key", async () => {
  const http = await startPages();
  const browser = await boundBrowser(http);
  const access = accessOf(browser);
  if (access === undefined) throw new Error("There is no access cookie.");
  http.clock.advance(16 * MINUTE);
  access.endsAt = http.clock.now() + 10 * MINUTE;
  const form = { Accept: "text/html", "Sec-Fetch-Dest": "document" };
  const path = `/api/auth/refresh?next=${PAGE}&else=/sign-in`;
  const first = await browser.request("POST", path, { headers: form });
  expect([first.status, first.headers.get("location")]).toEqual([307, expect.stringContaining("keyed=1")]);
  const second = await browser.request("POST", `/api/auth/refresh${first.headers.get("location")}`, {
    headers: form,
  });
  expect(second.status).toBe(307);
  expect(second.headers.getSetCookie()).toEqual([expect.stringMatching(`^${COOKIES.access}=; Max-Age=0;`)]);
  const third = await browser.request("POST", `/api/auth/refresh${second.headers.get("location")}`, {
    headers: form,
  });
  expect([third.status, third.headers.get("location")]).toEqual([307, PAGE]);
});

describe("while the browser cannot prove its key", () => {
  test.each([
    ["its refresh is out of reach", "unreachable"],
    ["the store fails", "server_error"],
  ])(
    "because %s, a page says that nothing is lost and tries again, and nobody is signed out",
    async (_, why) => {
      const http = await startPages();
      const browser = await boundBrowser(http);
      http.clock.advance(15 * MINUTE);
      const fail = (on: boolean) => {
        if (why === "server_error") http.store.failing = on;
        else browser.state.loses = (path) => on && path === REFRESH;
      };
      for (let minute = 0; minute < 3; minute += 1) {
        fail(true);
        const { response, path } = await browser.open(PAGE);
        expect(response.status).toBe(503);
        expect(response.headers.get("retry-after")).toMatch(/^\d+$/);
        const text = await response.text();
        expect(text).toContain("Nothing is lost");
        expect(text).toContain('http-equiv="refresh"');
        expect(browser.sessions.size).toBe(1);
        http.clock.advance(MINUTE);
        if (minute < 2) continue;
        fail(false);
        // As the page loads itself.
        const again = await browser.open(path);
        expect(await again.response.text()).toBe(browser.sessionId);
      }
      expect(http.alarms()).toEqual([]);
      expect(http.events.filter(({ type }) => type === "proof_failed")).toEqual([]);
    },
  );

  test("a program that refreshes gets a refusal that ends nothing, and a bounce that is no page load 503", async () => {
    const http = await startPages();
    const browser = await boundBrowser(http);
    http.clock.advance(15 * MINUTE);
    browser.state.loses = (path) => path === REFRESH;
    const refreshed = await browser.request("POST", "/api/auth/refresh");
    expect(await problemOf(refreshed)).toBe("401 proof_missing");
    expect(refreshed.headers.getSetCookie()).toEqual([]);
    const bounced = await browser.request("GET", `/api/auth/refresh?next=${PAGE}`);
    expect(await problemOf(bounced)).toBe("503 proof_unavailable");
    expect(bounced.headers.get("retry-after")).toBe("2");
    expect(http.events.filter(({ type }) => type === "proof_failed")).toEqual([]);
  });
});

describe("a copied jar", () => {
  test("is led to the sign-in page with the reason, opens nothing, ends nothing, and its owner is told", async () => {
    const http = await startPages();
    const browser = await boundBrowser(http);
    const stolen = browser.jar();
    http.clock.advance(16 * MINUTE);
    const { response, at } = await openBy(http, new Map(stolen));
    expect(await response.text()).toBe("Sign in");
    expect(at).toBe(`/sign-in?next=%2Faccount&reason=proof_missing`);
    expect(http.events.filter(({ type }) => type === "proof_failed")).toHaveLength(1);
    const posted = await http.send("POST", "/api/auth/refresh", {
      headers: { Cookie: cookieHeader(stolen), "Sec-Fetch-Site": "same-origin" },
    });
    expect(await problemOf(posted)).toBe("401 proof_missing");
    expect(posted.headers.getSetCookie()).toEqual([]);
    const { response: own } = await browser.open(PAGE);
    expect(await own.text()).toBe(browser.sessionId);
    const listed = await browser.request("GET", "/api/auth/sessions");
    expect((await listed.json()).sessions).toEqual([
      expect.objectContaining({
        binding: "device",
        proof_failed_at: new Date(http.clock.now()).toISOString(),
      }),
    ]);
    expect(http.alarms()).toEqual([]);
  });

  test("gets a page that tries again for as long as it says that it cannot prove the key", async () => {
    const http = await startPages();
    const browser = await boundBrowser(http);
    const stolen = browser.jar();
    http.clock.advance(16 * MINUTE);
    const { response } = await openBy(http, stolen, { "Secure-Session-Skipped": "unreachable" });
    expect(response.status).toBe(503);
    expect(response.headers.getSetCookie()).toEqual([]);
  });
});
