import { describe, expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { COOKIES, get, ORIGIN } from "../auth/routes.fixture.ts";
import { route } from "../documented-route.fixture.ts";
import {
  answerOf,
  as,
  ask,
  codeOf,
  create,
  everything,
  KEYS,
  list,
  make,
  people,
  read,
  WISH,
} from "./routes.fixture.ts";

/** All of them but the request's own id. */
const headersOf = ({ headers }: { headers: Headers }) =>
  [...headers].filter(([name]) => name !== "x-request-id");

test("a stream is made, seen by its two sides alone, and says what has happened to it", async () => {
  const made = await create({ ...WISH, title: "  Rent ", start: true });
  expect(made.status).toBe(201);
  expect(made.headers.get("location")).toBe(`/api/streams/${made.json.id}`);
  expect(made.headers.get("etag")).toBe('"1"');
  expect(made.json).toEqual({
    id: expect.stringMatching(/^[\w-]{22}$/),
    status: "active",
    sender: KEYS.sender.account,
    recipient: KEYS.recipient.account,
    role: "sender",
    title: "Rent",
    asset: "XLM",
    deposited: "100.0000000",
    accrued: "0.0000000",
    settled: "0.0000000",
    withdrawn: "0.0000000",
    withdrawable: "0.0000000",
    refunded: "0.0000000",
    remaining: "100.0000000",
    duration_seconds: 100,
    elapsed_seconds: 0,
    as_of: made.json.created_at,
    created_at: made.json.created_at,
    started_at: made.json.created_at,
    ends_at: new Date(Date.parse(made.json.created_at) + 100_000).toISOString(),
    ended_at: null,
    version: 1,
  });
  const seen = await read(made.json.id, "recipient");
  expect(seen.headers.get("etag")).toBe('"1"');
  expect(seen.headers.get("cache-control")).toBe("no-store");
  expect(seen.json).toMatchObject({ role: "recipient", title: "Rent", id: made.json.id });
  expect(seen.json.history).toEqual([
    {
      id: expect.any(Number),
      at: made.json.created_at,
      type: "started",
      by: KEYS.sender.account,
      amount: null,
      operation_id: null,
    },
    expect.objectContaining({ type: "created", amount: "100.0000000" }),
  ]);
  expect(codeOf(await read(made.json.id, "stranger"))).toBe("404 not_found");
  expect((await list("", "stranger")).json).toMatchObject({ streams: [], next_cursor: null });
});

test("commands, with the version that they are meant for", async () => {
  const id = await make();
  expect((await ask(id, "start", { "if-match": '"1"' })).json).toMatchObject({
    status: "active",
    version: 2,
  });
  expect(codeOf(await ask(id, "pause", { "if-match": '"1"' }))).toBe("412 version_conflict");
  expect(codeOf(await ask(id, "pause", { "if-match": 'W/"2"' }))).toBe("412 version_conflict");
  expect(codeOf(await ask(id, "pause", { "if-match": "2" }))).toBe("400 invalid_request");
  const paused = await ask(id, "pause", { "if-match": '"7", "2"' });
  expect([paused.json.status, paused.headers.get("etag")]).toEqual(["paused", '"3"']);
  expect((await ask(id, "settle")).json).toMatchObject({ status: "paused", version: 3 });
  expect(codeOf(await ask(id, "withdraw"))).toBe("403 not_permitted");
  expect(codeOf(await ask(id, "withdraw", as("recipient")))).toBe("409 stream_state");
  expect(codeOf(await ask(id, "cancel", as("recipient")))).toBe("403 not_permitted");
  expect(codeOf(await ask(id, "cancel", as("stranger")))).toBe("404 not_found");
  expect((await ask(id, "cancel", { "if-match": "*" })).json).toMatchObject({ status: "cancelled" });
  expect(codeOf(await ask(id, "start"))).toBe("409 stream_state");
});

describe("Idempotency-Key", () => {
  const key = () => ({ "idempotency-key": crypto.randomUUID() });

  test("the same again is answered the same, byte for byte, and happens once", async () => {
    const once = key();
    const first = await create(WISH, once);
    const spelled = `{ "duration_seconds": 1e2, "deposit": "100.0", "recipient": "${WISH.recipient}", "x": 1 }`;
    const again = await answerOf(
      route(
        new Request(`${ORIGIN}/api/streams`, {
          method: "POST",
          headers: { ...as("sender"), ...once, "content-type": "application/json" },
          body: spelled,
        }),
      ),
    );
    expect([again.status, again.text]).toEqual([201, first.text]);
    expect(headersOf(again)).toEqual(headersOf(first));

    const pausing = key();
    await ask(first.json.id, "start");
    const paused = await ask(first.json.id, "pause", pausing);
    await ask(first.json.id, "start");
    expect((await ask(first.json.id, "pause", pausing)).text).toBe(paused.text);
    expect((await read(first.json.id)).json.status).toBe("active");
  });

  test("for something else it is refused; another person's key is another", async () => {
    const once = key();
    const { json } = await create(WISH, once);
    const before = await everything();
    expect(codeOf(await create({ ...WISH, deposit: "101" }, once))).toBe("422 idempotency_mismatch");
    expect(codeOf(await create({ ...WISH, title: "x" }, once))).toBe("422 idempotency_mismatch");
    expect(codeOf(await ask(json.id, "start", once))).toBe("422 idempotency_mismatch");
    expect(await everything()).toBe(before);
    expect(
      (await create({ ...WISH, recipient: createWalletKeypair().account }, once, "recipient")).status,
    ).toBe(201);
  });

  test("a refusal is not kept", async () => {
    const id = await make();
    const once = key();
    expect(codeOf(await ask(id, "pause", once))).toBe("409 stream_state");
    await ask(id, "start");
    expect((await ask(id, "pause", once)).json.status).toBe("paused");
  });

  test.each(["short", "x".repeat(129), "with a blank in it", "ünicode-ünicode-ünicode".normalize("NFC")])(
    "%j is no key",
    async (text) => {
      const before = await everything();
      expect(codeOf(await create(WISH, { "idempotency-key": text }))).toBe("400 invalid_request");
      expect(await everything()).toBe(before);
    },
  );
});

test("20 at once with one key make one stream", async () => {
  const once = { "idempotency-key": crypto.randomUUID() };
  const { length } = (await list("?limit=100")).json.streams;
  const answers = await Promise.all(Array.from({ length: 20 }, () => create(WISH, once)));
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  expect((await list("?limit=100")).json.streams).toHaveLength(length + 1);
});

test("lists are filtered, counted and taken page by page", async () => {
  const id = await make({ start: true });
  const active = (await list("?status=active&role=sender&limit=100")).json;
  expect(active.streams.map((stream: { id: string }) => stream.id)).toContain(id);
  expect(active.counts.active).toBe(active.streams.length);
  const received = (await list("?role=recipient")).json;
  expect(received).toEqual({
    streams: [],
    next_cursor: null,
    counts: { draft: 0, active: 0, paused: 0, completed: 0, cancelled: 0 },
  });
  await make();
  const first = (await list("?limit=1")).json;
  const second = (await list(`?limit=1&cursor=${first.next_cursor}`)).json;
  expect(second.streams[0].id).not.toBe(first.streams[0].id);
});

test("every route is guarded, a changing one against other sites too, and answers every method", async () => {
  const id = await make();
  const guarded: [string, string][] = [
    ["GET", "/api/streams"],
    ["POST", "/api/streams"],
    ["GET", `/api/streams/${id}`],
    ["POST", `/api/streams/${id}/start`],
    ["GET", `/api/streams/${id}/events`],
    ["GET", "/api/events"],
  ];
  for (const [method, path] of guarded) {
    expect(codeOf(await answerOf(route(get(path, {}, method))))).toBe("401 access_token_missing");
    const cookie = {
      cookie: `${COOKIES.access}=${people.sender.access_token}`,
      origin: "https://evil.example",
    };
    if (method === "POST")
      expect(codeOf(await answerOf(route(get(path, cookie, method))))).toBe("403 cross_origin");
  }
  const wrong = await answerOf(route(get(`/api/streams/${id}/start`, as("sender"), "DELETE")));
  expect([codeOf(wrong), wrong.headers.get("allow")]).toEqual(["405 method_not_allowed", "POST, OPTIONS"]);
  const html = await answerOf(route(get("/api/streams", { ...as("sender"), accept: "text/html" })));
  expect(codeOf(html)).toBe("406 not_acceptable");
  expect((await route(get(`/api/streams/${id}`, as("sender"), "HEAD"))).status).toBe(200);
});

test("event streams: of one's own streams, and of all that is one's own", async () => {
  const id = await make({ start: true });
  const open = async (path: string, headers: Record<string, string> = {}) => {
    const response = await route(get(path, { ...as("recipient"), ...headers }));
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    return {
      async until(what: string) {
        for (let text = ""; ; text += (await reader?.read())?.value ?? "")
          if (text.includes(what)) return text;
      },
      close: () => reader?.cancel(),
    };
  };
  const stream = await open(`/api/streams/${id}/events`);
  expect(await stream.until("\n\nid")).toContain("retry:");
  await stream.close();
  const all = await open("/api/events", { "last-event-id": "0" });
  expect(await all.until(id)).toMatch(/id: \d+\nevent: stream.state\ndata: \{/);
  await all.close();
  const foreign = await answerOf(route(get(`/api/streams/${id}/events`, as("stranger"))));
  expect(codeOf(foreign)).toBe("404 not_found");
});
