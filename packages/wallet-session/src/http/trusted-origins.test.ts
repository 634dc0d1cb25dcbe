import { expect, test } from "vitest";
import { problemOf, startHttp } from "./http.fixture.ts";

const APP = "https://app.example.com";
const OWN = "https://pay.example.com";
/** As browsers send a request of a page of that origin. */
const from = (origin: string, site = "same-site") => ({ Origin: origin, "Sec-Fetch-Site": site });
const STRANGERS: [string, Record<string, string>][] = [
  ["a neighbour that nobody trusts", from("https://evil.example.com")],
  ["another port of a trusted host", from("https://app.example.com:8443")],
  ["a trusted host by http", from("http://app.example.com")],
  ["a name that begins as a trusted one", from("https://app.example.com.evil.example")],
  ["a sandboxed frame", from("null")],
  ["a neighbour that does not say who", { "Sec-Fetch-Site": "same-site" }],
];

async function startTrusting() {
  const http = await startHttp({ trustedOrigins: [APP, "https://desk.example.com:8443"] });
  /** What a browser with a session gets for each change by cookie, from a page with these headers alone. */
  async function changes(headers: Record<string, string>): Promise<number[]> {
    const statuses = [];
    const jar = await http.browser();
    for (const [method, path] of [
      ["POST", "/api/auth/refresh"],
      ["DELETE", "/api/auth/sessions"],
      ["POST", "/api/auth/logout"],
    ] as const) {
      const request = jar.prepare(method, path);
      request.headers.delete("Sec-Fetch-Site");
      for (const [name, value] of Object.entries(headers)) request.headers.set(name, value);
      statuses.push((await http.handlers.fetch(request)).status);
    }
    const signIn = { "Session-Transport": "cookie", ...headers };
    const body = await http.answerFor();
    return [...statuses, (await http.send("POST", "/api/auth/wallet", { body, headers: signIn })).status];
  }
  return { ...http, changes };
}

test.each([
  ["a trusted origin", from(APP)],
  ["another one, with a port", from("https://desk.example.com:8443")],
  ["its own pages", from(OWN, "same-origin")],
  ["a browser too old to say which site", { Origin: APP }],
])("cookies count from %s", async (_, headers) => {
  expect(await (await startTrusting()).changes(headers)).toEqual([200, 200, 204, 200]);
});

test.each([...STRANGERS, ["a trusted origin, from another site", from(APP, "cross-site")]])(
  "cookies do not count from %s",
  async (_, headers) => {
    expect(await (await startTrusting()).changes(headers)).toEqual([403, 403, 403, 403]);
  },
);

function cors({ headers }: Response) {
  return ["Allow-Origin", "Allow-Credentials"]
    .map((name) => headers.get(`Access-Control-${name}`))
    .concat(headers.get("vary"));
}

test("a trusted page may read the answers with credentials: ours, errors, preflights and the app's own", async () => {
  const { send, handlers } = await startTrusting();
  const own = handlers.endpoint("/api/boats", {
    async GET() {
      return Response.json({});
    },
  });
  const fetched = handlers.endpoint("/api/far", {
    async GET() {
      return fetch("data:,far");
    },
  });
  const request = (path: string, method = "GET", headers = from(APP)) =>
    new Request(OWN + path, { method, headers });
  for (const response of [
    await send("GET", "/api/auth/session", { headers: from(APP) }),
    await send("OPTIONS", "/api/auth/refresh", { headers: from(APP) }),
    await own(request("/api/boats")),
    await own(request("/api/boats", "OPTIONS")),
    await fetched(request("/api/far")),
  ]) {
    expect(cors(response)).toEqual([APP, "true", "Origin"]);
  }
  expect((await own(request("/api/boats", "OPTIONS"))).headers.get("access-control-allow-methods")).toBe(
    "GET, HEAD, OPTIONS",
  );
  for (const [, headers] of STRANGERS) {
    expect(cors(await send("GET", "/api/auth/session", { headers }))).toEqual(["*", null, "Origin"]);
    for (const method of ["GET", "OPTIONS"]) {
      const response = await own(new Request(`${OWN}/api/boats`, { method, headers }));
      expect(cors(response)).toEqual([null, null, "Origin"]);
      expect(response.headers.get("access-control-allow-headers")).toBeNull();
    }
  }
});

test("a page of a trusted origin opens the event stream by cookie; a stranger's does not", async () => {
  const { browser } = await startTrusting();
  const jar = await browser();
  const open = (headers: Record<string, string>) =>
    jar.send("GET", "/api/auth/events", { headers: { Accept: "text/event-stream", ...headers } });
  const stream = await open(from(APP));
  expect(stream.status).toBe(200);
  await stream.body?.cancel();
  expect(await problemOf(await open(from("https://evil.example.com")))).toBe("403 cross_origin");
});

test("a preflight is answered for headers that trace, as far as they are names, and so many", async () => {
  const { send } = await startHttp();
  const allowed = async (asked: string) => {
    const headers = { Origin: "https://wallet.example", "Access-Control-Request-Headers": asked };
    const response = await send("OPTIONS", "/api/auth/refresh", { headers });
    expect(cors(response)).toEqual(["*", null, null]);
    return response.headers.get("access-control-allow-headers")?.split(", ").slice(8);
  };
  expect(await allowed("baggage,content-type,sentry-trace, traceparent ,tracestate")).toEqual([
    "baggage",
    "content-type",
    "sentry-trace",
    "traceparent",
    "tracestate",
  ]);
  expect(await allowed(`a b,,"c",d:e,é,*/*,${"f".repeat(65)},x-fine`)).toEqual(["x-fine"]);
  expect(await allowed("a,".repeat(3_000))).toHaveLength(32);
});
