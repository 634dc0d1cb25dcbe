// Connections that wait for their client, under Next.
import { connect } from "node:net";
import { expect, test } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";

const app = appUnderTest();

/** Resolves with what came back when the server has ended a connection that sends this and no more. */
function ended(text: string): Promise<string> {
  const { hostname, port } = new URL(app.server.address);
  return new Promise((resolve) => {
    let received = "";
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.on("data", (chunk) => {
      received += chunk;
    });
    socket.on("error", () => {}).once("close", () => resolve(received));
  });
}

test("half a head and an upgrade that nobody answers come to an end", async () => {
  const upgrade = "Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket";
  const [halfHead, ...upgrades] = await Promise.all([
    ended("GET /api/healthz HTTP/1.1\r\nHo"),
    ended(`GET /_next/webpack-hmr HTTP/1.1\r\n${upgrade}\r\n\r\n`),
    ended(`GET /nowhere/at/all HTTP/1.1\r\n${upgrade}\r\n\r\n`),
  ]);
  expect(halfHead).toMatch(/^HTTP\/1\.1 408 /);
  expect(upgrades).toEqual(["", ""]);
});
