import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { peerAddress, publishPeerAddress } from "./client-address.ts";

const PEER = "x-wallet-session-peer";

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

test("without the publisher the header is the client's own words, and the address is not known", () => {
  // As in a process where nobody has called it.
  Reflect.deleteProperty(globalThis, Symbol.for("wallet-session.peer-address"));
  expect(addressOf({ [PEER]: "203.0.113.9" }, 0)).toBeNull();
});

test("the publisher writes the socket's address over whatever came, for readers of either kind", async () => {
  publishPeerAddress();
  publishPeerAddress();
  const plain = await receive({});
  expect(plain.headers[PEER]).toBe("127.0.0.1");
  expect(rawValues(plain)).toEqual(["127.0.0.1"]);
  const forged = await receive({ "X-Wallet-Session-Peer": ["203.0.113.9", "203.0.113.10"] });
  expect(forged.headers[PEER]).toBe("127.0.0.1");
  expect(new Set(rawValues(forged))).toEqual(new Set(["127.0.0.1"]));
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
  [1, "203.0.113.9:4711", null],
])("behind %i proxies that say %s it is %s", (trustedProxies, forwarded, expected) => {
  publishPeerAddress();
  const headers = forwarded === undefined ? {} : { "X-Forwarded-For": forwarded };
  expect(addressOf({ [PEER]: "192.0.2.1", ...headers }, trustedProxies)).toBe(expected);
});

test("a socket that is gone has no address", () => {
  publishPeerAddress();
  expect(addressOf({ [PEER]: "" }, 0)).toBeNull();
  expect(addressOf({}, 0)).toBeNull();
});

function rawValues({ rawHeaders }: IncomingMessage): string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === PEER);
}
