import { afterEach, expect, test, vi } from "vitest";
import { COOKIES, startHttp } from "../http/http.fixture.ts";
import { sessionGuard } from "./guard.ts";

// Next's own store of the request exists only inside of its server: test/http/example-next.test.ts runs there.
const { cookies } = vi.hoisted(() => ({ cookies: new Map<string, { value: string }>() }));
vi.mock("next/headers.js", () => ({ cookies: async () => cookies }));
afterEach(() => {
  cookies.clear();
  vi.unstubAllEnvs();
});

const OPTIONS = { signInPath: "/sign-in" };

async function signedIn() {
  const http = await startHttp();
  const jar = await http.browser();
  const accessToken = jar.cookies.get(COOKIES.access) ?? "";
  cookies.set(COOKIES.access, { value: accessToken });
  return { ...http, jar, accessToken, guard: sessionGuard(http, OPTIONS) };
}

/** What Next makes the redirect of. */
async function digestOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "no redirect",
    (error) => String(error.digest ?? error),
  );
}

test("who is signed in", async () => {
  const { guard, jar } = await signedIn();
  expect(await guard.session()).toMatchObject({ actorId: jar.key.account, sessionId: jar.sessionId });
  expect(await guard.require("/account")).toMatchObject({ sessionId: jar.sessionId });
});

test.each<[string, (http: Awaited<ReturnType<typeof signedIn>>) => unknown]>([
  ["no cookie", () => cookies.clear()],
  ["an empty cookie", () => cookies.set(COOKIES.access, { value: "" })],
  ["a token of nobody's", () => cookies.set(COOKIES.access, { value: "garbage" })],
  ["an ended token", ({ clock }) => clock.advance(1_200_000)],
  ["a revoked session", ({ engine, jar }) => engine.revokeSessions(jar.key.account, null)],
])("%s is nobody: null, or a redirect through the bounce", async (_, happen) => {
  const http = await signedIn();
  await happen(http);
  expect(await http.guard.session()).toBeNull();
  expect(await digestOf(http.guard.require("/account?tab=1"))).toBe(
    "NEXT_REDIRECT;replace;/api/auth/refresh?next=%2Faccount%3Ftab%3D1&else=%2Fsign-in%3Fnext%3D%252Faccount%253Ftab%253D1;307;",
  );
});

test.each(["/account", "/shop/account"])("below Next's own basePath: %s", async (path) => {
  vi.stubEnv("__NEXT_ROUTER_BASEPATH", "/shop");
  const { handlers, engine } = await startHttp({ basePath: "/shop/api/auth" });
  const guard = sessionGuard({ engine, handlers }, OPTIONS);
  // Next adds its basePath to the address, not to what the address names.
  expect(await digestOf(guard.require(path))).toBe(
    "NEXT_REDIRECT;replace;/api/auth/refresh?next=%2Fshop%2Faccount&else=%2Fshop%2Fsign-in%3Fnext%3D%252Fshop%252Faccount;307;",
  );
  const astray = sessionGuard(await startHttp(), OPTIONS);
  expect(await digestOf(astray.require(path))).toBe(
    "Error: AUTH_BASE_PATH must begin with the basePath of Next's configuration, /shop.",
  );
});

test("a fault is never nobody", async () => {
  const { guard, engine, store } = await signedIn();
  await engine.close();
  store.failing = true;
  await expect(guard.session({ fresh: true })).rejects.toMatchObject({ code: "store_unavailable" });
  await expect(guard.require("/account")).rejects.toMatchObject({ code: "store_unavailable" });
});

test("the service is asked for at the first request, not before", async () => {
  const { engine, handlers } = await startHttp();
  const asked: string[] = [];
  const guard = sessionGuard(
    {
      get engine() {
        asked.push("engine");
        return engine;
      },
      get handlers() {
        asked.push("handlers");
        return handlers;
      },
    },
    OPTIONS,
  );
  expect(asked).toEqual([]);
  cookies.set(COOKIES.access, { value: "garbage" });
  await guard.session();
  expect(asked).toEqual(["handlers", "engine"]);
});
