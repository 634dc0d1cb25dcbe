import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { ServerConnections } from "./server-connections.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server whose connections are looked at when the test says so, on a stopwatch that the test moves. */
async function listen({
  answer = ok,
  upgrade,
}: {
  answer?: Answer;
  upgrade?: (socket: Socket) => void;
} = {}) {
  const server = createServer();
  let nowMs = 0;
  let check = async () => {};
  const onUpgrade = vi.fn<(request: IncomingMessage) => void>();
  if (upgrade) server.on("upgrade", (_, socket) => upgrade(socket as Socket));
  const connections = new ServerConnections(server, {
    stopwatch: () => nowMs,
    every: (_, task) => {
      check = task;
      return () => {};
    },
    onUpgrade,
  });
  server.on("connection", (socket) => connections.opened(socket));
  server.on("request", (request, response) => {
    connections.asked(request, response);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });

  return {
    server,
    onUpgrade,
    /** Time goes by, with a look at the connections each second. */
    async pass(seconds: number) {
      for (let passed = 0; passed < seconds; passed++) {
        nowMs += 1_000;
        await check();
      }
    },
    /** A connection that has sent this, and whose bytes have arrived. */
    async open(text: string): Promise<Client> {
      const accepted = once(server, "connection");
      const { port } = server.address() as AddressInfo;
      const socket = connect(port, "127.0.0.1");
      onTestFinished(() => void socket.destroy());
      const [peer] = (await accepted) as [Socket];
      let received = "";
      socket.on("data", (chunk) => {
        received += chunk;
      });
      socket.on("error", () => {});
      const client = {
        received: () => received,
        isOpen: () => !peer.destroyed && !peer.writableEnded,
        async send(more: string) {
          const before = peer.bytesRead;
          socket.write(more);
          await vi.waitFor(() => expect(peer.bytesRead).toBe(before + Buffer.byteLength(more)), 10_000);
        },
      };
      await client.send(text);
      return client;
    },
  };
}

interface Client {
  received(): string;
  isOpen(): boolean;
  send(text: string): Promise<void>;
}

const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const UPGRADE = "GET /ws?a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const POST = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n";

function ok(request: IncomingMessage, response: ServerResponse): void {
  request.resume().once("end", () => response.end("fine"));
}

test("half a head is over after 10 s, however it drips, also after another request", async () => {
  const { open, pass } = await listen();
  const [first, second] = [await open("GET / HTTP/1.1\r\nHo"), await open(GET)];
  await vi.waitFor(() => expect(second.received()).toContain("fine"), 10_000);
  await pass(6);
  await second.send("GET / HT");
  await first.send("s");
  await pass(5);
  expect([first.isOpen(), second.isOpen()]).toEqual([false, true]);
  await vi.waitFor(() => expect(first.received()).toMatch(/^HTTP\/1\.1 408 /), 10_000);
  await second.send("T");
  await pass(6);
  expect(second.isOpen()).toBe(false);
});

test("a connection that waits for its next request, or for its answer, is left alone", async () => {
  const answers: ServerResponse[] = [];
  const { open, pass } = await listen({
    answer: (request, response) => (answers.length === 0 ? answers.push(response) : ok(request, response)),
  });
  const [waiting, idle, silent] = [await open(GET), await open(GET), await open("")];
  await vi.waitFor(() => expect(idle.received()).toContain("fine"), 10_000);
  await pass(60);
  expect([waiting, idle, silent].map((client) => client.isOpen())).toEqual([true, true, true]);
  answers[0]?.end("late");
  await idle.send(GET);
  await vi.waitFor(() => {
    expect(waiting.received()).toContain("late");
    expect(idle.received().match(/fine/g)).toHaveLength(2);
  }, 10_000);
});

test("a body has 30 s, and more for as long as it comes", async () => {
  const { open, pass } = await listen();
  const [half, slow] = [await open(POST), await open(POST)];
  await half.send("x".repeat(500));
  for (let sent = 0; sent < 100_000; sent += 10_000) {
    expect(slow.isOpen()).toBe(true);
    await slow.send("x".repeat(10_000));
    await pass(9);
  }
  expect(half.isOpen()).toBe(false);
  await vi.waitFor(() => expect(slow.received()).toContain("fine"), 10_000);
});

test("a body that nobody reads is not its sender's fault", async () => {
  const { open, pass } = await listen({ answer: () => {} });
  const unread = await open(POST + "x".repeat(99_000));
  await pass(600);
  expect(unread.isOpen()).toBe(true);
});

test("an upgrade that nobody answers is over after 10 s; one that is answered is the app's", async () => {
  const { open, pass, onUpgrade } = await listen({ upgrade: () => {} });
  const unanswered = await open(UPGRADE);
  expect(onUpgrade.mock.calls.map(([{ url }]) => url)).toEqual(["/ws?a"]);
  await pass(9);
  expect(unanswered.isOpen()).toBe(true);
  await pass(1);
  expect(unanswered.isOpen()).toBe(false);

  const answering = await listen({
    upgrade: (socket) => socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\n"),
  });
  const answered = await answering.open(UPGRADE);
  await answering.pass(100);
  expect(answered.isOpen()).toBe(true);
});

test("a server that knows no upgrades takes one for a request", async () => {
  const { open } = await listen();
  const client = await open(UPGRADE);
  await vi.waitFor(() => expect(client.received()).toContain("fine"), 10_000);
});

test("a server that closes waits for answers alone", async () => {
  const answers: ServerResponse[] = [];
  const { server, open, pass } = await listen({
    answer: (_, response) => answers.push(response),
    upgrade: () => {},
  });
  const busy = await open(GET);
  const others = [await open("GET / HTTP"), await open(UPGRADE), await open("")];
  const closed = once(server, "close");
  server.close();
  await pass(1);
  expect(others.map((client) => client.isOpen())).toEqual([false, false, false]);
  expect(busy.isOpen()).toBe(true);
  answers[0]?.end("fine");
  await vi.waitFor(() => expect(busy.received()).toContain("fine"), 10_000);
  await pass(1);
  await closed;
});
