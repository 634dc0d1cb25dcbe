import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { expect, onTestFinished, test, vi } from "vitest";
import type { Handler } from "../http/handler.ts";
import { startHttp } from "../http/http.fixture.ts";
import { createNodeServer } from "./server.ts";

const ORIGIN = "https://pay.example.com";

async function listen(fetch: Handler) {
  const server = createNodeServer({
    fetch,
    problem: () => new Response("malformed", { status: 400 }),
    origin: ORIGIN,
  });
  const port = await server.listen(0, "127.0.0.1");
  onTestFinished(() => void server.stop(0));
  return { server, port, url: `http://127.0.0.1:${port}` };
}

/** A connection that sends what it is told to, and all that has come back on it. */
async function open(port: number): Promise<Socket & { received(): string }> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  let received = "";
  socket.on("data", (chunk) => {
    received += chunk;
  });
  await once(socket, "connect");
  return Object.assign(socket, { received: () => received });
}

const echo: Handler = async (request) =>
  Response.json({
    url: request.url,
    method: request.method,
    cookies: request.headers.get("cookie"),
    authorization: request.headers.get("authorization"),
    body: request.body === null ? null : await request.text(),
  });

test("a request arrives as it was sent, under the origin of the settings", async () => {
  const { url } = await listen(echo);
  const sent = { method: "POST", body: "a body", headers: { cookie: "a=1; b=2", host: "evil.example.com" } };
  expect(await (await fetch(`${url}//a/../b?c=%2F`, sent)).json()).toEqual({
    url: `${ORIGIN}//b?c=%2F`,
    method: "POST",
    cookies: "a=1; b=2",
    authorization: null,
    body: "a body",
  });
  const { body, method } = await (await fetch(url, { method: "DELETE" })).json();
  expect([method, body]).toEqual(["DELETE", null]);
});

test("bodies come whole or in pieces, with a length or without one", async () => {
  const { url, port } = await listen(echo);
  const long = "x".repeat(200_000);
  expect((await (await fetch(url, { method: "POST", body: long })).json()).body).toBe(long);
  const socket = await open(port);
  socket.write("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n");
  socket.write("1\r\nc\r\n0\r\n\r\n");
  await vi.waitFor(() => expect(socket.received()).toContain('"body":"abc"'), 10_000);
});

test("what is no request is refused; a doubled header is not two of them", async () => {
  const { port } = await listen(echo);
  const socket = await open(port);
  socket.write("TRACE / HTTP/1.1\r\nHost: x\r\n\r\n");
  await vi.waitFor(() => expect(socket.received()).toMatch(/^HTTP\/1.1 400 .*malformed$/s), 10_000);
  socket.write("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n");
  await vi.waitFor(() => expect(socket.received().match(/malformed/g)).toHaveLength(2), 10_000);
  socket.write("GET http://other.example.com/a?b HTTP/1.1\r\nHost: x\r\n");
  socket.write("Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n");
  await vi.waitFor(() => expect(socket.received()).toContain('"authorization":"Bearer a, Bearer b"'), 10_000);
  expect(socket.received()).toContain(`"url":"${ORIGIN}/a?b"`);
});

test("an answer has its length, a line for each cookie, and no body where it has none", async () => {
  const headers = new Headers([
    ["set-cookie", "a=1"],
    ["set-cookie", "b=2, 3"],
  ]);
  const { url } = await listen(async ({ method }) =>
    method === "GET" ? new Response("text", { headers }) : new Response(null, { status: 204, headers }),
  );
  const answer = await fetch(url);
  expect(answer.headers.getSetCookie()).toEqual(["a=1", "b=2, 3"]);
  expect([answer.headers.get("content-length"), await answer.text()]).toEqual(["4", "text"]);
  const none = await fetch(url, { method: "POST" });
  expect([none.status, none.headers.getSetCookie()]).toEqual([204, ["a=1", "b=2, 3"]]);
});

test("a refused body, read or not, leaves the connection to the next request", async () => {
  const { handlers } = await startHttp();
  const { port } = await listen(handlers.fetch);
  for (const path of ["/api/auth/refresh", "/api/nothing"]) {
    const socket = await open(port);
    const body = `{"refresh_token":"${"x".repeat(100_000)}"}`;
    socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`);
    socket.write(`Content-Length: ${body.length}\r\n\r\n${body.slice(0, 50_000)}`);
    await vi.waitFor(() => expect(socket.received()).toMatch(/^HTTP\/1.1 4(13|04)/), 10_000);
    socket.write(`${body.slice(50_000)}GET /api/healthz HTTP/1.1\r\nHost: x\r\n\r\n`);
    await vi.waitFor(() => expect(socket.received()).toContain('{"status":"alive"}'), 10_000);
  }
});

test("a connection that ends with a refusal ends when the refused body has come, so that the refusal is read", async () => {
  const { handlers } = await startHttp();
  const { port } = await listen(handlers.fetch);
  for (const [path, end] of [
    ["/api/auth/refresh", "HTTP/1.1\r\nConnection: close"],
    ["/api/nothing", "HTTP/1.1\r\nConnection: close"],
    ["/api/auth/refresh", "HTTP/1.0"],
  ]) {
    const socket = await open(port);
    const broken = vi.fn();
    socket.on("error", broken);
    const closed = once(socket, "close");
    socket.write(`POST ${path} ${end}\r\nHost: x\r\nContent-Type: application/json\r\n`);
    socket.write("Content-Length: 200000\r\n\r\n");
    socket.write("x".repeat(100_000));
    await vi.waitFor(() => expect(socket.received()).toMatch(/^HTTP\/1.1 4(13|04).*\r\n\r\n{.*}$/s), 10_000);
    const sent = promisify(socket.write.bind(socket));
    for (let rest = 100_000; rest > 0; rest -= 10_000) await sent("x".repeat(10_000));
    await closed;
    expect(broken).not.toHaveBeenCalled();
  }
});

test("a client that goes away aborts its request, whether it waits or sends", async () => {
  const [taken, aborted] = [vi.fn(), vi.fn()];
  const { port } = await listen(async (request) => {
    taken();
    request.signal.addEventListener("abort", aborted);
    await request.text().catch(() => {});
    await once(request.signal, "abort");
    return new Response();
  });
  const waiting = await open(port);
  waiting.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const sending = await open(port);
  sending.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nhalf");
  const early = await open(port);
  early.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n");
  await vi.waitFor(() => expect(taken).toHaveBeenCalledTimes(2), 10_000);
  await vi.waitFor(() => expect(early.received()).toMatch(/^HTTP\/1\.1 100 /), 10_000);
  early.write("half");
  for (const socket of [waiting, sending, early]) socket.destroy();
  await vi.waitFor(() => expect(aborted).toHaveBeenCalledTimes(2), 10_000);
});

/** A stream of events that never ends by itself; `made` counts how many it was asked for. */
function events() {
  const feed = { made: 0, cancelled: false, end: () => {}, fail: () => {} };
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        feed.end = () => controller.close();
        feed.fail = () => controller.error(new Error("broken"));
      },
      pull(controller) {
        feed.made += 1;
        controller.enqueue(Buffer.from(`data: ${"x".repeat(10_000)}\n\n`));
      },
      cancel() {
        feed.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  const response = new Response(body, { headers: { "content-type": "text/event-stream" } });
  return { feed, response };
}

test("an event stream is made no faster than its reader takes it, and let go of when he leaves", async () => {
  const { feed, response } = events();
  const { port } = await listen(async () => response);
  const socket = await open(port);
  socket.pause();
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  let before = -1;
  await vi.waitFor(
    () => {
      const same = feed.made === before && before > 0;
      before = feed.made;
      expect(same).toBe(true);
    },
    { timeout: 20_000, interval: 100 },
  );
  socket.resume();
  await vi.waitFor(() => expect(feed.made).toBeGreaterThan(before * 2), 20_000);
  socket.destroy();
  await vi.waitFor(() => expect(feed.cancelled).toBe(true), 10_000);
});

test("a stream that breaks off does not look like one that ended", async () => {
  const { feed, response } = events();
  const { port } = await listen(async () => response);
  const socket = await open(port);
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await vi.waitFor(() => expect(feed.made).toBeGreaterThan(0), 10_000);
  const closed = once(socket, "close");
  feed.fail();
  await closed;
  expect(socket.received()).not.toMatch(/\r\n0\r\n\r\n$/);
});

test("a stop answers what was asked, closes what is idle, and takes nothing new", async () => {
  let asked = () => {};
  const wasAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  let finish = (_: Response) => {};
  const { server, port, url } = await listen((request) => {
    if (new URL(request.url).pathname === "/quick") return Promise.resolve(new Response("quick"));
    asked();
    return new Promise((resolve) => {
      finish = resolve;
    });
  });
  const [silent, used, busy] = [await open(port), await open(port), await open(port)];
  used.write("GET /quick HTTP/1.1\r\nHost: x\r\n\r\n");
  await vi.waitFor(() => expect(used.received()).toContain("quick"), 10_000);
  busy.write("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  await wasAsked;
  const closed = Promise.all([silent, used].map((socket) => once(socket, "close")));
  const stopped = server.stop(20_000);
  await closed;
  await expect(fetch(url)).rejects.toThrow();
  finish(new Response("slow, but here"));
  await once(busy, "close");
  expect(await stopped).toBe(true);
  expect(busy.received()).toMatch(/Connection: close\r\n.*slow, but here$/s);
});

test("a stop waits for an answer that is on its way to a slow reader", async () => {
  const size = 20_000_000;
  const handler = vi.fn(async () => new Response("x".repeat(size)));
  const { server, port } = await listen(handler);
  const socket = await open(port);
  socket.pause();
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await vi.waitFor(() => expect(handler).toHaveBeenCalled(), 10_000);
  // By then all of it has been handed over, and waits for room.
  await delay(100);
  const stopped = server.stop(20_000);
  await delay(100);
  socket.resume();
  await once(socket, "close");
  expect(await stopped).toBe(true);
  expect(socket.received().length).toBeGreaterThan(size);
});

test("a stop cuts off what does not end in time, and says so", async () => {
  const { response } = events();
  const { server, port } = await listen(async () => response);
  const socket = await open(port);
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await vi.waitFor(() => expect(socket.received()).not.toBe(""), 10_000);
  const closed = once(socket, "close");
  expect(await server.stop(100)).toBe(false);
  await closed;
});

test("a port that is taken is an error", async () => {
  const { port } = await listen(echo);
  const other = createNodeServer({ fetch: echo, problem: () => new Response(), origin: ORIGIN });
  await expect(other.listen(port, "127.0.0.1")).rejects.toMatchObject({ code: "EADDRINUSE" });
});
