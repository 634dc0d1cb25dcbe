import { expect, onTestFinished, test, vi } from "vitest";
import { cookieNames } from "../cookie-names.ts";
import { COOKIES, problemOf, startHttp } from "../http/http.fixture.ts";
import { sessionProxy } from "./proxy.ts";

const ORIGIN = "https://pay.example.com";
/** As browsers send a navigation. */
const NAVIGATION = {
  "Sec-Fetch-Dest": "document",
  "Sec-Fetch-Mode": "navigate",
  Accept: "text/html,*/*;q=0.8",
};

function load(path: string, headers: Record<string, string> = {}, method = "GET"): Request {
  return new Request(ORIGIN + path, { method, headers: { ...NAVIGATION, ...headers } });
}

function token(claims: unknown): string {
  return `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.AAAA`;
}

/** Of a form or an action on a page of the site. */
const OWN = { "Sec-Fetch-Site": "same-origin" };
const ACTION = { ...OWN, "Next-Action": "00c0ffee", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors" };

const clock = { now: () => 1_000_000 };
const env = { PUBLIC_URL: ORIGIN };
const proxy = sessionProxy({ signInPath: "/sign-in", env, clock });
const cookie = (accessToken: string) => ({ Cookie: `${COOKIES.access}=${accessToken}` });

test("a page load without an access cookie goes to the bounce, and on to the sign-in page at worst", () => {
  const response = proxy(load("/streams/7?tab=a%20b"));
  expect(response?.status).toBe(303);
  expect(response?.headers.get("cache-control")).toBe("no-store");
  const location = new URL(response?.headers.get("location") ?? "", ORIGIN);
  expect(location.origin + location.pathname).toBe(`${ORIGIN}/api/auth/refresh`);
  expect([...location.searchParams]).toEqual([
    ["next", "/streams/7?tab=a%20b"],
    ["else", "/sign-in?next=%2Fstreams%2F7%3Ftab%3Da%2520b"],
  ]);
});

test.each(["http://localhost:3000", "http://127.0.0.1:3000", "http://[::1]:3000"])(
  "a redirect on the loopback stays at %s, though Next calls it localhost",
  (own) => {
    const request = new Request("http://localhost:3000/streams", { headers: NAVIGATION });
    const location = proxy(request)?.headers.get("location") ?? "";
    // Next 15 resolves the one against the other, after it has parsed it alone.
    expect(URL.canParse(location)).toBe(true);
    expect(new URL(location, own).href).toBe(
      `${own}/api/auth/refresh?next=%2Fstreams&else=%2Fsign-in%3Fnext%3D%252Fstreams`,
    );
  },
);

test.each([
  ["its end has passed", token({ exp: 1_000 })],
  ["it has no end", token({})],
  ["its end is no number", token({ exp: "2000" })],
  ["its claims are no object", token(null)],
  ["it is garbage", "garbage"],
  ["it is empty", ""],
])("an access cookie is renewed when %s", (_, accessToken) => {
  expect(proxy(load("/streams", cookie(accessToken)))?.status).toBe(303);
});

test.each([
  ["a living access cookie", load("/streams", cookie(token({ exp: 1_001 })))],
  ["a prefetch by the browser", load("/streams", { "Sec-Purpose": "prefetch;prerender" })],
  ["a prefetch of an older browser", load("/streams", { Purpose: "prefetch" })],
  ["a prefetch by Next, were it shown", load("/streams", { "Next-Router-Prefetch": "1" })],
  [
    "a segment's prefetch by Next, were it shown",
    load("/streams", { "Next-Router-Segment-Prefetch": "/_tree" }),
  ],
  ["a script's fetch", load("/streams", { "Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors" })],
  ["a frame", load("/streams", { "Sec-Fetch-Dest": "iframe" })],
  ["HEAD", load("/streams", {}, "HEAD")],
  ["a script's POST", load("/streams", { ...OWN, "Sec-Fetch-Dest": "empty" }, "POST")],
  ["a form of nobody knows where", load("/streams", {}, "POST")],
  ["another site's form", load("/streams", { "Sec-Fetch-Site": "cross-site" }, "POST")],
  ["a neighbour's form", load("/streams", { "Sec-Fetch-Site": "same-site" }, "POST")],
  ["another site's form of an older browser", load("/streams", { Origin: "https://evil.example" }, "POST")],
  ["a form with a long path", load(`/streams?q=${"a".repeat(1_024)}`, OWN, "POST")],
  [
    "a form with a token that will do",
    load("/streams", { ...OWN, ...cookie(token({ iat: 996, exp: 1_002 })) }, "POST"),
  ],
  ["a PUT", load("/streams", OWN, "PUT")],
  [
    "a program that asks for no page",
    new Request(`${ORIGIN}/streams`, { headers: { Accept: "application/json" } }),
  ],
  ["a program that says nothing", new Request(`${ORIGIN}/streams`)],
])("%s goes on as it is", (_, request) => {
  expect(proxy(request)).toBeUndefined();
});

test.each([
  ["a form", OWN, "/sign-in?next=%2Fstreams%3Ftab%3D1"],
  ["a form of an older browser", { Origin: ORIGIN }, "/sign-in?next=%2Fstreams%3Ftab%3D1"],
  ["a server action", ACTION, "/streams?tab=1&ws-not-renewed="],
  [
    "a form whose token ends on the way",
    { ...OWN, ...cookie(token({ iat: 900, exp: 1_005 })) },
    "/sign-in?next=%2Fstreams%3Ftab%3D1",
  ],
])("%s goes to the bounce with all that is in it", (_, headers, otherwise) => {
  const response = proxy(load("/streams?tab=1", headers, "POST"));
  expect([response?.status, response?.headers.get("cache-control")]).toEqual([307, "no-store"]);
  expect(response?.headers.getSetCookie()).toEqual([expect.stringContaining(COOKIES.retry)]);
  const location = new URL(response?.headers.get("location") ?? "");
  expect(location.origin + location.pathname).toBe(`${ORIGIN}/api/auth/refresh`);
  expect(location.searchParams.get("next")).toBe("/streams?tab=1");
  expect(location.searchParams.get("else")).toBe(otherwise);
});

test("an action that comes back without a session runs, and finds nobody", () => {
  expect(proxy(load("/streams?ws-not-renewed=", ACTION, "POST"))).toBeUndefined();
});

test("of two access cookies one that lives is enough", () => {
  const living = token({ exp: 1_001 });
  const both = (value: string) =>
    load("/streams", { Cookie: `${COOKIES.access}=a; ${COOKIES.access}=${value}` });
  expect(proxy(both(living))).toBeUndefined();
  expect(proxy(both("b"))?.status).toBe(303);
});

test.each([
  [{}, "ws3000"],
  [{ PORT: "4000" }, "ws4000"],
  [{ PUBLIC_URL: "http://localhost" }, "ws80"],
  [{ PUBLIC_URL: "https://[::1]" }, "ws443"],
  [{ PUBLIC_URL: "https://app.localhost:8443" }, "ws8443"],
  [{ PUBLIC_URL: "https://pay.example.com:8443" }, "ws"],
  [{ PUBLIC_URL: "https://pay.example.com", COOKIE_NAME: "shop" }, "shop"],
])("under %j the cookies are named after %s", (settings, name) => {
  const elsewhere = sessionProxy({ signInPath: "/sign-in", env: settings, clock });
  const [retry] = elsewhere(load("/streams"))?.headers.getSetCookie() ?? [];
  expect(retry).toMatch(new RegExp(`^${cookieNames(name).retry}=`));
});

test("the bounce is where AUTH_BASE_PATH says, and Next's own basePath is part of the sign-in page's path", () => {
  vi.stubEnv("__NEXT_ROUTER_BASEPATH", "/shop");
  onTestFinished(() => void vi.unstubAllEnvs());
  for (const signInPath of ["/sign-in", "/shop/sign-in"]) {
    const below = sessionProxy({ signInPath, env: { ...env, AUTH_BASE_PATH: "/shop/api/auth" }, clock });
    expect(below(load("/shop/account/"))?.headers.get("location")).toBe(
      `${ORIGIN}/shop/api/auth/refresh?next=%2Fshop%2Faccount%2F&else=%2Fshop%2Fsign-in%3Fnext%3D%252Fshop%252Faccount%252F`,
    );
  }
});

test("settings that the service refuses are refused here", () => {
  const elsewhere = sessionProxy({ signInPath: "/sign-in", env: { COOKIE_NAME: "a;b" } });
  expect(() => elsewhere(load("/streams"))).toThrow("COOKIE_NAME must have");
});

test("a browser too old to say what it loads goes by what it asks for", () => {
  expect(proxy(new Request(`${ORIGIN}/streams`, { headers: { Accept: "text/html" } }))?.status).toBe(303);
});

test("through the proxy and the real bounce and back: renewed; with nothing in the jar: the sign-in page", async () => {
  const { browser, send, clock: time } = await startHttp();
  const real = sessionProxy({ signInPath: "/sign-in", env, clock: time });
  const jar = await browser();
  time.advance(1_200_000);

  const away = real(jar.prepare("GET", "/streams?tab=1", { headers: NAVIGATION }));
  if (away === undefined) throw new Error("not sent away");
  jar.keep(away);
  expect(jar.cookies.get(COOKIES.retry)).toBeDefined();
  const { pathname, search } = new URL(away.headers.get("location") ?? "", ORIGIN);
  const back = await jar.send("GET", pathname + search, { headers: NAVIGATION });
  expect([back.status, back.headers.get("location")]).toEqual([303, "/streams?tab=1"]);
  expect(jar.cookies.has(COOKIES.retry)).toBe(false);
  expect(real(jar.prepare("GET", "/streams?tab=1", { headers: NAVIGATION }))).toBeUndefined();

  const nobody = await send("GET", pathname + search, { headers: NAVIGATION });
  expect([nobody.status, nobody.headers.get("location")]).toEqual([
    303,
    "/sign-in?next=%2Fstreams%3Ftab%3D1",
  ]);
  expect(await problemOf(await send("GET", "/api/auth/session"))).toBe("401 access_token_missing");
});
