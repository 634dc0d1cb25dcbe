import { expect, test } from "vitest";
import { everyInterval } from "../engine/timers.ts";
import { currentRequest } from "../request-context.ts";
import { createMemoryStore } from "../stores/memory.ts";
import { createRequest, startHttp } from "./http.fixture.ts";
import { type RequestReport, requestIdHeader } from "./observed.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

async function startObserved(options: Parameters<typeof startHttp>[0] = {}) {
  const reports: RequestReport[] = [];
  let time = 0;
  const stopwatch = () => {
    time += 4;
    return time;
  };
  const http = await startHttp({ onRequest: (report) => reports.push(report), stopwatch, ...options });
  return { ...http, reports };
}

test("each answer is reported with the template of its path, whatever the path holds, and whose it was", async () => {
  const { send, signIn, browser, reports } = await startObserved();
  const { access_token, refresh_token, session_id } = await signIn();
  const jar = await browser();
  reports.length = 0;
  const headers = { Authorization: `Bearer ${access_token}` };
  await send("POST", "/api/auth/refresh", { body: { refresh_token } });
  await jar.send("POST", "/api/auth/refresh");
  await send("POST", "/api/auth/refresh", { body: { refresh_token: "garbage" } });
  await send("DELETE", `/api/auth/sessions/${session_id}`, { headers });
  await send("BREW", "/api/auth/sessions/a%00secret?token=secret");
  await send("GET", "/wp-admin/secret");
  expect(reports.map(({ method, route, status, code }) => `${method} ${route} ${status} ${code}`)).toEqual([
    "POST /api/auth/refresh 200 null",
    "POST /api/auth/refresh 200 null",
    "POST /api/auth/refresh 401 refresh_token_invalid",
    "DELETE /api/auth/sessions/{id} 204 null",
    "_OTHER /api/auth/sessions/{id} 405 method_not_allowed",
    "GET unmatched 404 not_found",
  ]);
  const whose = reports.map(({ sessionId }) => sessionId);
  expect(whose).toEqual([session_id, jar.sessionId, null, session_id, null, null]);
  expect(reports[1]?.actorId).toBe(jar.key.account);
  expect(reports.every(({ durationMs }) => durationMs === 4)).toBe(true);
  expect(JSON.stringify(reports)).not.toContain("secret");
});

test("each answer carries the id of its request: a new one, or the one that somebody in front has given", async () => {
  const { send, reports } = await startObserved();
  const own = await send("GET", "/api/healthz", { headers: { "X-Request-Id": "somebody-s-own" } });
  const refused = await send("POST", "/api/auth/session");
  const nowhere = await send("GET", "/nowhere");
  const ids = [own, refused, nowhere].map(({ headers }) => headers.get("X-Request-Id"));
  expect(ids).toEqual(reports.map(({ requestId }) => requestId));
  expect(ids.every((id) => UUID.test(id ?? ""))).toBe(true);
  expect(new Set(ids).size).toBe(3);
  expect(refused.headers.get("access-control-expose-headers")).toContain("X-Request-Id");

  const behindProxy = await startObserved({ requestId: requestIdHeader });
  const answer = await behindProxy.send("GET", "/api/healthz", {
    headers: { "X-Request-Id": "edge:1f.7-b_9" },
  });
  expect(answer.headers.get("X-Request-Id")).toBe("edge:1f.7-b_9");
});

test.each(["short", "x".repeat(129), 'a"quoted"one', "spaces in it", "ünicode-id"])(
  "what is no id is not taken for one: %s",
  (id) => {
    const request = new Request("http://localhost", {
      headers: { "X-Request-Id": encodeURI(id) === id ? id : "ü ü ü ü ü" },
    });
    expect(requestIdHeader(request)).toBeNull();
  },
);

test("what a timer does later is no part of the request that has started it", async () => {
  const { handlers } = await startObserved();
  const ofTimer = Promise.withResolvers<unknown>();
  const startTimer = async () => {
    const stop = everyInterval(1, async () => {
      stop();
      ofTimer.resolve(currentRequest());
    });
    expect(currentRequest()).toBeDefined();
    return new Response();
  };
  const answer = await handlers.endpoint("/api/boats", { GET: startTimer })(
    createRequest("GET", "/api/boats"),
  );
  expect([answer.status, await ofTimer.promise]).toEqual([200, undefined]);
});

test("what a request leads to belongs to it", async () => {
  const seen: (string | undefined)[] = [];
  const store = createMemoryStore();
  const { handlers, engine } = await startObserved({
    store,
    requestId: requestIdHeader,
    engineOptions: { onEvent: () => seen.push(currentRequest()?.requestId) },
  });
  const refuse = async () => {
    await new Promise(setImmediate);
    await engine.refresh("garbage");
    return new Response();
  };
  const boats = handlers.endpoint("/api/boats", { GET: refuse });
  const withId = (id: string) =>
    boats(createRequest("GET", "/api/boats", { headers: { "X-Request-Id": id } }));
  seen.length = 0;
  await Promise.all([withId("request-1"), withId("request-2")]);
  expect(seen).toEqual(["request-1", "request-2"]);
  expect(currentRequest()).toBeUndefined();
});

test("an endpoint that hands its request on stays the one that answers", async () => {
  const { handlers, reports } = await startObserved();
  const boats = handlers.endpoint("/api/boats", { GET: handlers.healthz });
  const answer = await boats(createRequest("GET", "/api/boats"));
  expect(reports.map(({ route }) => route)).toEqual(["/api/boats"]);
  expect(answer.headers.get("X-Request-Id")).toBe(reports[0]?.requestId);
});

test("an answer whose headers cannot be changed gets the id all the same, and a sink that throws changes nothing", async () => {
  const { handlers } = await startObserved({
    onRequest: () => {
      throw new Error("a full disk");
    },
  });
  const redirect = async () => Response.redirect("https://pay.example.com/there", 307);
  const away = handlers.endpoint("/api/away", { GET: redirect });
  const answer = await away(createRequest("GET", "/api/away"));
  expect([answer.status, answer.headers.get("location")]).toEqual([307, "https://pay.example.com/there"]);
  expect(answer.headers.get("X-Request-Id")).toMatch(UUID);
});

test("the code is reported also where a person gets a page instead of the problem", async () => {
  const { browser, store, reports } = await startObserved();
  const jar = await browser();
  store.failing = true;
  const answer = await jar.send("GET", "/api/auth/refresh?next=/", { headers: { Accept: "text/html" } });
  expect(answer.headers.get("content-type")).toContain("text/html");
  expect(reports.at(-1)).toMatchObject({ status: 503, code: "store_unavailable" });
});
