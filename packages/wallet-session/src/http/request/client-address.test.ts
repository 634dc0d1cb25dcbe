import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { peerAddress, publishPeerAddress } from "./client-address.ts";

const PUBLISHED = Symbol.for("wallet-session.peer-address");
publishPeerAddress();
const PEER = String(Reflect.get(globalThis, PUBLISHED));

/** What a server finds in one real request over a socket. */
async function receive(headers: Record<string, string | string[]>): Promise<IncomingMessage> {
  const server = createServer();
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const received = new Promise<IncomingMessage>((resolve) => {
    server.on("request", (incoming, response) => {
      response.end();
      resolve(incoming);
    });
  });
  const { port } = server.address() as AddressInfo;
  httpRequest({ host: "127.0.0.1", port, headers, agent: false }).end();
  return received;
}

function addressOf(headers: Record<string, string>, trustedProxies: number): string | null {
  return peerAddress(new Request("https://pay.example.com/", { headers }), trustedProxies);
}

test("without the publisher the address is not known, whatever a client says", () => {
  // As in a process where nobody has called it.
  Reflect.deleteProperty(globalThis, PUBLISHED);
  onTestFinished(() => void Reflect.set(globalThis, PUBLISHED, PEER));
  expect(addressOf({ [PEER]: "203.0.113.9" }, 0)).toBeNull();
});

test("the publisher adds the socket's address once, for readers of either kind", async () => {
  publishPeerAddress();
  const { headers, rawHeaders } = await receive({});
  expect(headers[PEER]).toBe("127.0.0.1");
  expect(rawHeaders.slice(rawHeaders.indexOf(PEER))).toEqual([PEER, "127.0.0.1"]);
});

test("nobody outside can say it: also not in a request that began before the publisher was there", async () => {
  expect(PEER).toMatch(/^x-wallet-session-peer-[\da-f-]{36}$/);
  expect(addressOf({ "X-Wallet-Session-Peer": "203.0.113.9" }, 0)).toBeNull();
});

test.each([
  [0, undefined, "192.0.2.1"],
  [0, "203.0.113.9", "192.0.2.1"],
  [1, undefined, "192.0.2.1"],
  [1, "203.0.113.9", "203.0.113.9"],
  [1, "6.6.6.6, 203.0.113.9", "203.0.113.9"],
  [1, "6.6.6.6,2001:db8::9", "2001:db8::9"],
  [2, "6.6.6.6, 203.0.113.9, 198.51.100.1", "203.0.113.9"],
  [2, "203.0.113.9", "203.0.113.9"],
  [1, "203.0.113.9, unknown", null],
  [1, "203.0.113.9,", null],
  [1, "203.0.113.9:4711", "203.0.113.9"],
  [1, '"203.0.113.9:4711"', "203.0.113.9"],
  [1, '"203.0.113.9"', "203.0.113.9"],
  [1, "[2001:db8::9]", "2001:db8::9"],
  [1, "6.6.6.6, [2001:db8::9]:4711", "2001:db8::9"],
  [1, '"[2001:db8::9]:4711"', "2001:db8::9"],
  [1, 'for="[2001:db8::9]:_port"', "2001:db8::9"],
  [1, "For=203.0.113.9", "203.0.113.9"],
  [1, "for=203.0.113.9:80;proto=https;by=198.51.100.1", "203.0.113.9"],
  [1, "::ffff:203.0.113.9", "::ffff:203.0.113.9"],
  [2, '"[2001:db8::9]:80", 198.51.100.1:443', "2001:db8::9"],
  [1, "[203.0.113.9", null],
  [1, "203.0.113:80", null],
  [1, "[unknown]:80", null],
  [1, "_hidden", null],
])("behind %i proxies that say %s it is %s", (trustedProxies, forwarded, expected) => {
  const headers = forwarded === undefined ? {} : { "X-Forwarded-For": forwarded };
  expect(addressOf({ [PEER]: "192.0.2.1", ...headers }, trustedProxies)).toBe(expected);
});

test("a socket that is gone has no address", () => {
  expect(addressOf({ [PEER]: "" }, 0)).toBeNull();
  expect(addressOf({}, 0)).toBeNull();
});
