import { expect, test } from "vitest";
import { COOKIES, createRequest, problemOf, startHttp } from "./http.fixture.ts";
import type { RequestReport } from "./observed.ts";

const BASE = "/shop/api/auth";
const NAVIGATION = { "Sec-Fetch-Dest": "document", Accept: "text/html" };

async function startShop() {
  const reports: RequestReport[] = [];
  const http = await startHttp({ basePath: BASE, onRequest: (report) => reports.push(report) });
  const signInCookies = async (path: string) => {
    const response = await http.send("POST", path, {
      body: await http.answerFor(),
      headers: { "Session-Transport": "cookie", "Sec-Fetch-Site": "same-origin" },
    });
    expect(response.status).toBe(200);
    return response.headers.getSetCookie();
  };
  return { ...http, reports, signInCookies };
}

test("the refresh cookie goes to where the endpoints are, and nowhere else", async () => {
  const { signInCookies } = await startShop();
  const cookies = await signInCookies(`${BASE}/wallet`);
  const paths = cookies.map((line) => [line.split("=", 1)[0], /; Path=([^;]*);/.exec(line)?.[1]]);
  expect(Object.fromEntries(paths)).toEqual({
    [COOKIES.access]: "/",
    [COOKIES.refresh]: BASE,
    [COOKIES.session]: "/",
    [COOKIES.retry]: "/",
  });
});

test.each([
  ["as browsers see them", BASE],
  ["less what Next takes off for its basePath", "/api/auth"],
  ["less what a proxy takes off", "/auth"],
])("the endpoints answer %s, with a slash at the end or not", async (_, base) => {
  const { send, signIn, reports } = await startShop();
  const { access_token, refresh_token, session_id } = await signIn();
  const headers = { Authorization: `Bearer ${access_token}` };
  for (const slash of ["", "/"]) {
    reports.length = 0;
    expect((await send("GET", `${base}/session${slash}`, { headers })).status).toBe(200);
    expect((await send("GET", `${base}/sessions${slash}?x=1`, { headers })).status).toBe(200);
    expect((await send("DELETE", `${base}/sessions/none${slash}`, { headers })).status).toBe(404);
    expect(reports.map(({ route }) => route)).toEqual(
      ["/session", "/sessions", "/sessions/{id}"].map((path) => BASE + path),
    );
  }
  const body = { refresh_token };
  expect((await send("POST", `${base}/refresh/`, { body })).status).toBe(200);
  const ended = await send("DELETE", `${base}/sessions/${session_id}/`, { headers });
  expect([ended.status, (await send("GET", `${base}/session`, { headers })).status]).toEqual([204, 401]);
});

test.each([
  "/session",
  "/shop/session",
  "/shop/shop/api/auth/session",
  "/api/authsession",
  `${BASE}/session//`,
  `${BASE}//session`,
  BASE,
  `${BASE}/`,
])("%s is no endpoint", async (path) => {
  const { send } = await startShop();
  expect(await problemOf(await send("GET", path))).toBe("404 not_found");
});

test("of the default path nothing may be missing", async () => {
  const { send } = await startHttp();
  expect(await problemOf(await send("GET", "/auth/session"))).toBe("404 not_found");
});

test("what belongs to the whole site stays at its root, whatever the base path is", async () => {
  for (const basePath of [BASE, "/shop/api", "/.well-known"]) {
    const { send } = await startHttp({ basePath });
    for (const path of [
      "/api/healthz",
      "/api/readyz/",
      "/.well-known/jwks.json",
      "/.well-known/stellar.toml/",
    ]) {
      expect([path, (await send("GET", path)).status]).toEqual([path, 200]);
    }
  }
});

test("a page load goes through the bounce there, and not back to it", async () => {
  const { handlers, send } = await startShop();
  const options = { signInPath: "/shop/sign-in" };
  const page = await handlers.guardPage(
    createRequest("GET", "/shop/account/", { headers: NAVIGATION }),
    options,
  );
  const bounce = page instanceof Response ? (page.headers.get("location") ?? "") : "";
  expect(bounce).toMatch(/^\/shop\/api\/auth\/refresh\?next=%2Fshop%2Faccount%2F&/);
  const back = await send("GET", bounce);
  expect(back.headers.get("location")).toBe("/shop/sign-in?next=%2Fshop%2Faccount%2F");
  for (const next of [`${BASE}/refresh`, `${BASE}/refresh/`, `${BASE}/x/../refresh/?next=/`]) {
    const round = await send("GET", `${BASE}/refresh/?next=${encodeURIComponent(next)}`);
    expect(round.headers.get("location")).toBe("/");
  }
});

test.each([
  "",
  "/",
  "api/auth",
  "/api/auth/",
  "//api",
  "/api/../auth",
  "/api/.",
  "/a b",
  "/a;b",
  "/a%20b",
  "/ä",
  "/a?b",
])("%j is no base path", async (basePath) => {
  await expect(startHttp({ basePath })).rejects.toThrow(/^must be a path such as/);
});
