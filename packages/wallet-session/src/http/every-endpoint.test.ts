// Bad inputs on each documented endpoint. The fixture rejects what is not answered as the OpenAPI document says.
import { expect, test } from "vitest";
import { contractOf } from "../../test/contract.ts";
import { exampleRequests } from "../../test/example-requests.ts";
import { ISSUER } from "../engine/engine.fixture.ts";
import { startHttp, type TestHttp } from "./http.fixture.ts";

const METRICS = {
  token: "the token of the metrics",
  render: async () => ({ contentType: "text/plain", text: "" }),
};
const CLIENT = { id: "boats", secret: "the-secret-of-the-boats" };
const contract = contractOf({ hasMetrics: true, hasClients: true });

const JSON_VALUES = [
  "null",
  "7",
  "1e400",
  "-0",
  '""',
  '"\\ud800"',
  '"\\u0000"',
  "[]",
  '["x"]',
  "{}",
  '{"__proto__":{}}',
  "true",
];
const TEXTS = [
  "",
  "null",
  "undefined",
  "0",
  "-1",
  "1e400",
  "18446744073709551616",
  "__proto__",
  "constructor",
  '"',
  "\\",
  "%00",
  "%ff",
  "%",
  "..%2f..",
  "a,b",
  "\u00ff",
  "'; --",
  "x".repeat(5_000),
];
const TYPES = [
  "application/json",
  "application/x-www-form-urlencoded",
  "text/plain",
  "application/json, text/plain",
  "",
];

/** Bodies for these members: none is a good one. */
function bodies(members: readonly string[]): Buffer[] {
  const [name = "a"] = members;
  const texts = [
    "",
    " ",
    "[]",
    "7",
    "null",
    "{",
    '{"a":1}}',
    `{"${name}":"x","${name}":"y"}`,
    '{"__proto__":{"refresh_token":"x"}}',
    `{"a":${"[".repeat(1_500)}${"]".repeat(1_500)}}`,
    "[".repeat(10_000),
    `${name}=a&${name}=b`,
    `${name}=%zz`,
    `${name}=%ff`,
    "&".repeat(1_001),
    "x".repeat(64 * 1_024 + 1),
    ...members.flatMap((member) => JSON_VALUES.map((value) => `{"${member}":${value}}`)),
  ];
  const bytes = [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0], [0xef, 0xbb, 0xbf, 0x7b, 0x7d]];
  return [...texts.map((text) => Buffer.from(text)), ...bytes.map((one) => Buffer.from(one))];
}

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly example?: unknown }>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, object>> }>>;
}

/** What is wrong in one place each, of a request that is as documented. */
function* hostile(good: Request, { parameters = [], requestBody }: Operation): Generator<Request> {
  const { method, url } = good;
  for (const other of ["PUT", "PATCH", "PROPFIND", "x"])
    yield new Request(url, { method: other, headers: good.headers });
  const [media] = Object.values(requestBody?.content ?? {});
  for (const type of method === "POST" ? TYPES : []) {
    for (const body of bodies(Object.keys(media?.example ?? {}))) {
      const headers = new Headers(good.headers);
      headers.set("Content-Type", type);
      yield new Request(url, { method, headers, body: Uint8Array.from(body) });
    }
  }
  for (const text of TEXTS) {
    for (const { name, in: place } of parameters) {
      const changed = new URL(url);
      const headers = new Headers(good.headers);
      if (place === "query") changed.search = `${changed.search}&${name}=${text}`;
      if (place === "path") changed.pathname = changed.pathname.replace(/[^/]*$/, text || "x");
      if (place === "header") headers.set(name, text);
      yield new Request(changed, { method, headers });
    }
    for (const name of [
      "Accept",
      "Authorization",
      "Cookie",
      "DPoP",
      "Origin",
      "Session-Id",
      "X-Request-Id",
    ]) {
      const headers = new Headers(good.headers);
      headers.set(name, name === "Authorization" ? `Bearer ${text}` : text);
      yield new Request(url, { method, headers });
    }
    yield new Request(`${url}?refresh_token=${text}`, { method, headers: good.headers });
  }
}

/** Answered as documented, and nothing is changed. */
async function check(
  http: TestHttp,
  request: Request,
  operation: Operation,
  { mayEnd = false } = {},
): Promise<void> {
  const before = await http.store.snapshot();
  const response = await http.handlers.fetch(request);
  const { status } = response;
  const type = response.headers.get("content-type")?.split(";")[0] ?? "";
  if (status >= 400 && status !== 405) {
    const codes = Object.keys(
      (operation.responses[status]?.content?.[type] as { examples?: object })?.examples ?? {},
    );
    expect(codes).toContain(((await response.json()) as { code: string }).code);
  } else await response.body?.cancel();
  expect(status).toBeLessThan(500);
  // A sign-out that is good even so.
  if (!mayEnd || status !== 204) expect(await http.store.snapshot()).toBe(before);
}

const operations = exampleRequests(contract).map((example) => {
  const [method = "", path = ""] = example.name.split(" ");
  const documented: Record<string, Record<string, Operation>> = contract.document.paths;
  return { ...example, operation: documented[path]?.[method] ?? { responses: {} } };
});

test.each(operations)("$name answers bad inputs as documented, and they change nothing", async (one) => {
  const http = await startHttp({ metrics: METRICS, introspectionClients: [CLIENT] });
  const { access_token } = await http.signIn();
  for (const request of hostile(one.request(ISSUER, {}), one.operation)) {
    await check(http, request, one.operation);
  }
  const credentials: Record<string, string> = {
    accessToken: `Bearer ${access_token}`,
    metricsToken: `Bearer ${METRICS.token}`,
    client: `Basic ${btoa(`${CLIENT.id}:${CLIENT.secret}`)}`,
  };
  const Authorization = credentials[one.scheme ?? ""];
  if (Authorization === undefined) return;
  for (const request of hostile(one.request(ISSUER, {}, { Authorization }), one.operation)) {
    await check(http, request, one.operation, { mayEnd: true });
  }
  expect(http.faults).toEqual([]);
});
