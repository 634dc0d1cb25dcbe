import { expect, test } from "vitest";
import { COOKIES, createRequest, problemOf, startHttp, type TestHttp } from "../http.fixture.ts";
import { PAGE_PATH_MAX_CHARS } from "./guard-page.ts";

const OPTIONS = { signInPath: "/sign-in" };
const NAVIGATION = { "Sec-Fetch-Dest": "document", Accept: "text/html,*/*;q=0.8" };
const NOBODY = createRequest("GET", "/account?tab=1", { headers: NAVIGATION });

async function redirectOf({ handlers }: TestHttp, request: Request): Promise<Response> {
  const answer = await handlers.guardPage(request, OPTIONS);
  if (!(answer instanceof Response)) throw new Error("somebody is let in");
  return answer;
}

test("a signed-in visitor is let in, by cookie or by bearer token", async () => {
  const { handlers, browser, signIn } = await startHttp();
  const jar = await browser();
  expect(await handlers.guardPage(jar.prepare("GET", "/account"), OPTIONS)).toMatchObject({
    actorId: jar.key.account,
    sessionId: jar.sessionId,
  });
  const { access_token, session_id } = await signIn();
  const request = createRequest("GET", "/account", { headers: { Authorization: `Bearer ${access_token}` } });
  expect(await handlers.guardPage(request, OPTIONS)).toMatchObject({ sessionId: session_id });
});

test("a page load of anybody else is sent to the bounce, and to the sign-in page at worst", async () => {
  const response = await redirectOf(await startHttp(), NOBODY);
  expect([response.status, response.headers.get("cache-control")]).toEqual([303, "no-store"]);
  const location = response.headers.get("location") ?? "";
  expect(location).toMatch(/^\/api\/auth\/refresh\?/);
  expect([...new URLSearchParams(location.split("?")[1])]).toEqual([
    ["next", "/account?tab=1"],
    ["else", "/sign-in?next=%2Faccount%3Ftab%3D1"],
  ]);
});

test("a session that has ended elsewhere leads there and on to the sign-in page", async () => {
  const http = await startHttp();
  const jar = await http.browser();
  await http.engine.revokeSessions(jar.key.account, null);
  const away = await redirectOf(http, jar.prepare("GET", "/account", { headers: NAVIGATION }));
  jar.keep(away);
  const back = await jar.send("GET", away.headers.get("location") ?? "", { headers: NAVIGATION });
  expect(back.headers.get("location")).toBe("/sign-in?next=%2Faccount&reason=session_revoked");
});

test("a form of a page of the site comes back renewed, with its body and the same rules", async () => {
  const http = await startHttp();
  const jar = await http.browser();
  const form = () => jar.prepare("POST", "/account", { headers: NAVIGATION, body: "name=Ada" });
  http.clock.advance(1_200_000);
  const away = await redirectOf(http, form());
  expect(away.status).toBe(307);
  jar.keep(away);
  const back = await jar.send("POST", away.headers.get("location") ?? "", { headers: NAVIGATION });
  expect([back.status, back.headers.get("location")]).toEqual([307, "/account"]);
  expect(await http.handlers.guardPage(form(), OPTIONS)).toMatchObject({ sessionId: jar.sessionId });
});

test.each<[string, Record<string, string>]>([
  ["a browser", { "Sec-Fetch-Dest": "empty", Accept: "*/*" }],
  ["a browser that says nothing of itself", { Accept: "*/*" }],
])(
  "the data of a page, asked for by the router of %s, leads there as well, and leaves the page",
  async (_, headers) => {
    const http = await startHttp();
    const jar = await http.browser();
    http.clock.advance(1_200_000);
    const away = await redirectOf(http, jar.prepare("GET", "/account", { headers }));
    expect([away.status, away.headers.get("x-remix-reload-document")]).toEqual([303, "true"]);
    jar.keep(away);
    // What follows redirects by itself gets its data in the end.
    const back = await jar.send("GET", away.headers.get("location") ?? "", { headers });
    expect([back.status, back.headers.get("location")]).toEqual([303, "/account"]);
    const session = await http.handlers.guardPage(jar.prepare("GET", "/account", { headers }), OPTIONS);
    expect(session).toMatchObject({ sessionId: jar.sessionId });
  },
);

test.each([
  ["/account.data", "/account"],
  ["/account.data?_routes=routes%2Faccount&tab=1", "/account?tab=1"],
  ["/_root.data?_routes=root", "/"],
  ["/_.data", "/"],
  ["/shop/_.data?tab=1", "/shop/?tab=1"],
  ["/my_.data", "/my_"],
  ["/account?tab=1", "/account?tab=1"],
])("React Router's address of data, %s, leads back to its page", async (path, page) => {
  const http = await startHttp();
  const headers = { "Sec-Fetch-Dest": "empty" };
  const nextOf = ({ headers }: Response) =>
    new URL(headers.get("location") ?? "", "http://page").searchParams.get("next");
  const away = await redirectOf(http, createRequest("GET", path, { headers }));
  expect(nextOf(away)).toBe(page);
  // A page may be called so.
  const loaded = await redirectOf(http, createRequest("GET", path, { headers: NAVIGATION }));
  expect(nextOf(loaded)).toBe(path);
});

test("a program's bad token is refused, not redirected", async () => {
  const { handlers } = await startHttp();
  const request = createRequest("GET", "/account", { headers: { Authorization: "Bearer garbage" } });
  await expect(handlers.guardPage(request, OPTIONS)).rejects.toMatchObject({ code: "access_token_invalid" });
});

test("a path too long to be named twice in a header is left out", async () => {
  const path = `/account?q=${"%2525".repeat(PAGE_PATH_MAX_CHARS)}`;
  const response = await redirectOf(await startHttp(), createRequest("GET", path, { headers: NAVIGATION }));
  expect(response.headers.get("location")).toBe("/api/auth/refresh?next=%2F&else=%2Fsign-in%3Fnext%3D%252F");
});

test("the retry key is set where the jar holds none: unguessable, a new one each time, for scripts to see", async () => {
  const http = await startHttp();
  const keys = [await redirectOf(http, NOBODY), await redirectOf(http, NOBODY)].map(({ headers }) =>
    headers.getSetCookie(),
  );
  for (const lines of keys) {
    expect(lines).toEqual([
      expect.stringMatching(
        new RegExp(`^${COOKIES.retry}=[\\w-]{36}; Max-Age=34560000; Path=/; Secure; SameSite=Lax$`),
      ),
    ]);
  }
  expect(keys[0]).not.toEqual(keys[1]);
});

test("the retry key that is there is the one to be used", async () => {
  const headers = { ...NAVIGATION, Cookie: `${COOKIES.retry}=0123456789abcdef` };
  const response = await redirectOf(await startHttp(), createRequest("GET", "/account", { headers }));
  expect(response.headers.getSetCookie()).toEqual([]);
});

test.each<[string, string, Record<string, string>]>([
  ["a prefetch", "GET", { ...NAVIGATION, "Sec-Purpose": "prefetch" }],
  ["HEAD", "HEAD", NAVIGATION],
  ["another site's form", "POST", { ...NAVIGATION, "Sec-Fetch-Site": "cross-site" }],
  ["a form of nobody knows where", "POST", NAVIGATION],
  ["a script's POST", "POST", { "Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin" }],
  ["a prefetch of a page's data", "GET", { "Sec-Fetch-Dest": "empty", "Sec-Purpose": "prefetch" }],
  ["Next's router", "GET", { "Sec-Fetch-Dest": "empty", RSC: "1" }],
  ["an image", "GET", { "Sec-Fetch-Dest": "image" }],
])("%s is refused as on any other route", async (_, method, headers) => {
  const { handlers } = await startHttp();
  const error = await handlers.guardPage(createRequest(method, "/account", { headers }), OPTIONS).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(await problemOf(handlers.problem(error))).toBe("401 access_token_missing");
});

test("a fault is neither a session nor a redirect", async () => {
  const { handlers, browser, store, engine } = await startHttp();
  const jar = await browser();
  await engine.close();
  store.failing = true;
  await expect(
    handlers.guardPage(jar.prepare("GET", "/account", { headers: NAVIGATION }), { ...OPTIONS, fresh: true }),
  ).rejects.toMatchObject({ code: "store_unavailable" });
});
