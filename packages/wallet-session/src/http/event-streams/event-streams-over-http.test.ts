import { connect, type Socket } from "node:net";
import { serve } from "@hono/node-server";
import { expect, onTestFinished, test, vi } from "vitest";
import { createManualTimers } from "../../engine/engine.fixture.ts";
import { createManualClock } from "../../testing/manual-clock.ts";
import { startHttp } from "../http.fixture.ts";
import type { ServerEventSource } from "./event-stream-body.ts";

/** A feed that always has more, behind a real server; `asked` counts how often it was asked for an event. */
async function startFeed() {
  const clock = createManualClock();
  const { every, pass } = createManualTimers(clock);
  const { handlers, signIn } = await startHttp({ clock, every, engineOptions: { clock, every } });
  const { access_token } = await signIn();
  const feed = { asked: 0, over: false };
  const source: ServerEventSource = async function* ({ signal }) {
    try {
      for (; !signal.aborted; feed.asked += 1) yield { event: "filler", data: "x".repeat(10_000) };
    } finally {
      feed.over = true;
    }
  };
  const port = await new Promise<number>((resolve) => {
    const fetch = async (request: Request) =>
      handlers.eventStream(request, await handlers.guard(request), source);
    const server = serve({ fetch, port: 0, hostname: "127.0.0.1" }, (address) => resolve(address.port));
    onTestFinished(() => void server.close());
  });
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.write(`GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${access_token}\r\n\r\n`);
  return { feed, socket, pass };
}

/** Resolves when the feed is not asked any more, however long one waits. */
async function comesToRest(feed: { readonly asked: number }): Promise<number> {
  let before = -1;
  let same = 0;
  await vi.waitFor(
    () => {
      same = feed.asked === before ? same + 1 : 0;
      before = feed.asked;
      expect(same).toBeGreaterThan(10);
    },
    { timeout: 20_000, interval: 50 },
  );
  return before;
}

function bytesOf(socket: Socket): () => number {
  let bytes = 0;
  socket.on("data", (chunk) => {
    bytes += chunk.length;
  });
  return () => bytes;
}

test("a reader that takes nothing makes nobody buffer: the feed rests until there is room", async () => {
  const { feed, socket } = await startFeed();
  // The socket is not read: what fits into the buffers of the two kernels is all that is made.
  const resting = await comesToRest(feed);
  const bytes = bytesOf(socket);
  await vi.waitFor(() => {
    expect(feed.asked).toBeGreaterThan(resting * 3);
    // Of what was asked for last, much is on its way still.
    expect(bytes()).toBeGreaterThan(resting * 10_000);
  }, 20_000);
  socket.destroy();
  await vi.waitFor(() => expect(feed.over).toBe(true), 10_000);
});

test("a reader that takes nothing for a minute is dropped, and its connection with it", async () => {
  // This framework tells the console of it before it cuts the connection.
  const said = vi.spyOn(console, "error").mockReturnValue();
  onTestFinished(() => said.mockRestore());
  const { feed, socket, pass } = await startFeed();
  await comesToRest(feed);
  await pass(59_000);
  expect(feed.over).toBe(false);
  await pass(2_000);
  expect(feed.over).toBe(true);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.resume().on("error", () => {});
  await closed;
});
