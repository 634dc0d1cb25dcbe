// Connections that wait for their client, under Next.
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";

const app = appUnderTest();

/** A connection that sends this, all that has come back on it, and its end. */
function open(text: string) {
  const { hostname, port } = new URL(app.server.address);
  let received = "";
  const socket = connect(Number(port), hostname, () => socket.write(text));
  socket
    .on("error", () => {})
    .on("data", (chunk) => {
      received += chunk;
    });
  const closed = new Promise<string>((resolve) => {
    socket.once("close", () => resolve(received));
  });
  onTestFinished(() => void socket.destroy());
  return { socket, closed, received: () => received };
}

test("half a head and an upgrade that nobody answers come to an end; an idle connection outlives them", async () => {
  const request = "GET /api/healthz HTTP/1.1\r\nHost: x\r\n\r\n";
  const idle = open(request);
  const upgrade = "Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket";
  const [halfHead, ...upgrades] = await Promise.all(
    [
      "GET /api/healthz HTTP/1.1\r\nHo",
      `GET /_next/webpack-hmr HTTP/1.1\r\n${upgrade}\r\n\r\n`,
      `GET /nowhere/at/all HTTP/1.1\r\n${upgrade}\r\n\r\n`,
    ].map((text) => open(text).closed),
  );
  expect(halfHead).toMatch(/^HTTP\/1\.1 408 /);
  expect(upgrades).toEqual(["", ""]);
  // Ten seconds have gone by: twice as long as Next would keep it.
  idle.socket.write(request);
  await expect.poll(() => idle.received().match(/HTTP\/1\.1 200 /g), { timeout: 10_000 }).toHaveLength(2);
  expect(idle.received()).toMatch(/^keep-alive: timeout=65\r$/im);
});
