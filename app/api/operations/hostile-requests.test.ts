import { expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { bearer, COOKIES, get, jar, post, type SignedIn, signedIn } from "../auth/routes.fixture.ts";
import { route } from "../documented-route.fixture.ts";
import { answerOf, codeOf, WISH } from "../streams/routes.fixture.ts";

const KEY = { "idempotency-key": "0123456789abcdef" };

/** Somebody with one stream that can be settled. Nothing runs operations here. */
async function somebody() {
  const tokens = await signedIn(createWalletKeypair());
  const made = await answerOf(
    route(post("/api/streams", { ...WISH, start: true }, bearer(tokens.access_token))),
  );
  const begin = (headers: Record<string, string> = {}, body: unknown = settling(made.json.id)) =>
    answerOf(route(post("/api/operations", body, { ...bearer(tokens.access_token), ...headers })));
  return { tokens, begin, stream: made.json.id as string };
}

const settling = (...stream_ids: unknown[]) => ({ type: "settle_streams", stream_ids });

function ask(command: string, id: string, { access_token }: SignedIn, method = "POST") {
  return answerOf(route(get(`/api/operations/${id}${command}`, bearer(access_token), method)));
}

test("an account has 4 operations at most that have not ended, others as many; what was accepted is answered again", async () => {
  const { begin, tokens } = await somebody();
  const first = await begin(KEY);
  expect(first.status).toBe(202);
  const more = await Promise.all(Array.from({ length: 5 }, () => begin()));
  expect(more.map(codeOf).sort()).toEqual([
    ...Array(3).fill("202 undefined"),
    ...Array(2).fill("409 operation_state"),
  ]);
  expect((await begin(KEY)).text).toBe(first.text);
  expect((await (await somebody()).begin()).status).toBe(202);
  expect((await ask("/cancel", first.json.id, tokens)).json).toMatchObject({ status: "cancelled" });
  expect((await begin()).status).toBe(202);
});

test("30 within a minute, however soon they are cancelled", async () => {
  const { begin, tokens } = await somebody();
  for (let n = 0; n < 30; n += 1) {
    expect((await ask("/cancel", (await begin()).json.id, tokens)).status).toBe(200);
  }
  const refused = await begin();
  expect(codeOf(refused)).toBe("429 rate_limited");
  const seconds = Number(refused.headers.get("retry-after"));
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThanOrEqual(60);
});

test("to another account an operation does not exist, with whatever key", async () => {
  const [{ begin }, { tokens: stranger, begin: other, stream }] = [await somebody(), await somebody()];
  const mine = await begin(KEY);
  for (const [command, method] of [
    ["", "GET"],
    ["/events", "GET"],
    ["/cancel", "POST"],
    ["/resume", "POST"],
  ] as const) {
    expect(codeOf(await ask(command, mine.json.id, stranger, method))).toBe("404 not_found");
  }
  // Their own key of the same name knows nothing of the first one's answer.
  const theirs = await other(KEY);
  expect([theirs.status, theirs.json.id === mine.json.id]).toEqual([202, false]);
  expect(codeOf(await begin({}, settling(stream)))).toBe("404 not_found");
});

test("one key is good for one request, wherever it is used", async () => {
  const { begin, tokens } = await somebody();
  const { json } = await begin(KEY);
  expect(codeOf(await begin(KEY, { type: "settle_streams", stream_ids: "all" }))).toBe(
    "422 idempotency_mismatch",
  );
  const elsewhere = [
    route(post(`/api/operations/${json.id}/cancel`, {}, { ...bearer(tokens.access_token), ...KEY })),
    route(post("/api/streams", WISH, { ...bearer(tokens.access_token), ...KEY })),
  ];
  for (const response of elsewhere) {
    expect(codeOf(await answerOf(response))).toBe("422 idempotency_mismatch");
  }
  expect(
    (await answerOf(route(get(`/api/operations/${json.id}`, bearer(tokens.access_token))))).json,
  ).toEqual(json);
});

test.each<[string, Record<string, string>]>([
  ["another site", { "sec-fetch-site": "cross-site" }],
  ["a neighbour", { "sec-fetch-site": "same-site", origin: "http://localhost:3000" }],
  ["an address bar", { "sec-fetch-site": "none" }],
  ["nobody knows where", {}],
  ["an opaque origin", { origin: "null" }],
])("by cookie from %s nothing begins", async (_, headers) => {
  const { tokens, stream, begin } = await somebody();
  const cookie = jar(new Map([[COOKIES.access, tokens.access_token]]));
  const { json } = await begin();
  for (const path of ["/api/operations", "/api/streams", `/api/operations/${json.id}/cancel`]) {
    const sent = route(post(path, settling(stream), { ...cookie, ...headers }));
    expect(codeOf(await answerOf(sent))).toBe("403 cross_origin");
  }
});

test.each<[string, string, string]>([
  ["deep", "[".repeat(200_000), "400 invalid_request"],
  [
    "deep and whole",
    `{"type":"settle_streams","stream_ids":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
    "400 invalid_request",
  ],
  ["doubled", '{"type":"settle_streams","stream_ids":"all","stream_ids":"all"}', "400 invalid_request"],
  [
    "doubled by an escape",
    '{"type":"settle_streams","stream_ids":"all","\\u0074ype":1}',
    "400 invalid_request",
  ],
  ["a prototype", '{"__proto__":{"type":"settle_streams","stream_ids":"all"}}', "400 invalid_request"],
  ["10 MB", " ".repeat(10_000_000), "413 body_too_large"],
])("a body that is %s is refused", async (_, body, expected) => {
  const { tokens } = await somebody();
  const headers = { "content-type": "application/json", ...bearer(tokens.access_token) };
  const request = new Request("http://localhost:3000/api/operations", { method: "POST", headers, body });
  expect(codeOf(await answerOf(route(request)))).toBe(expected);
});
