import type { LookupAddress } from "node:dns";
import { createServer, request as httpRequest, type RequestListener, type Server } from "node:http";
import type { RequestOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { isDomainName } from "./account.ts";
import {
  type ClientDomainIo,
  clientDomainKeyResolver,
  isPublicAddress,
  signingKeyIn,
} from "./client-domain.ts";
import { CLIENT_APP, CLIENT_DOMAIN, keyOf } from "./wallet.fixture.ts";

const KEY = CLIENT_APP.publicKey();
const OTHER_KEY = keyOf("other").publicKey();
const TOML = `VERSION="2.0.0"\nSIGNING_KEY="${KEY}"\n\n[DOCUMENTATION]\nORG_NAME="x"\n`;

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve) ?? resolve(undefined));
  server = undefined;
});

/** The resolver as it is, but that every domain is at this machine, on a port of its own and without TLS. */
async function resolverFor(listener: RequestListener, io: ClientDomainIo = {}) {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  const { port } = started.address() as AddressInfo;
  const asked: RequestOptions[] = [];
  const resolve = clientDomainKeyResolver({
    lookup: (_, __, callback) => callback(null, [{ address: "127.0.0.1", family: 4 }]),
    isPublicAddress: () => true,
    request: (options, onResponse) => {
      asked.push(options);
      return httpRequest({ ...options, port }, onResponse);
    },
    ...io,
  });
  return { resolve, asked };
}

const serving = (body: string | Buffer, status = 200): RequestListener => {
  return (_, response) => response.writeHead(status).end(body);
};

describe("clientDomainKeyResolver", () => {
  it("reads the key from the domain's stellar.toml", async () => {
    const urls: string[] = [];
    const { resolve, asked } = await resolverFor((request, response) => {
      urls.push(`${request.headers.host?.replace(/:.*/, "")}${request.url}`);
      serving(TOML)(request, response);
    });
    await expect(resolve(CLIENT_DOMAIN)).resolves.toBe(KEY);
    expect(urls).toEqual([`${CLIENT_DOMAIN}/.well-known/stellar.toml`]);
    expect(asked.map(({ port, protocol }) => ({ port, protocol }))).toEqual([{}]);
  });

  it.each<[string, RequestListener]>([
    ["a redirect", (_, response) => response.writeHead(302, { location: "http://127.0.0.1/" }).end(TOML)],
    ["404", serving(TOML, 404)],
    ["a server's fault", serving(TOML, 500)],
    ["no key", serving('VERSION="2.0.0"\n')],
    ["an empty file", serving("")],
    ["a file of more than 100 KiB", serving(`${TOML}${"#".repeat(100 * 1_024)}`)],
    ["invalid UTF-8", serving(Buffer.concat([Buffer.from(TOML), Buffer.from([0xff])]))],
    [
      "a connection that breaks off",
      (_, response) =>
        response.writeHead(200, { "content-length": "1000" }).write(TOML, () => response.destroy()),
    ],
    ["no answer", (request) => request.socket.destroy()],
  ])("rejects %s", async (_, listener) => {
    const { resolve } = await resolverFor(listener);
    await expect(resolve(CLIENT_DOMAIN)).rejects.toThrow();
  });

  it.each<[string, RequestListener]>([
    ["the first byte", () => undefined],
    ["the last", (_, response) => response.writeHead(200).write(TOML)],
  ])("waits for %s no longer than it is told to", async (_, listener) => {
    const { resolve } = await resolverFor(listener, { timeoutMs: 50 });
    await expect(resolve(CLIENT_DOMAIN)).rejects.toThrow();
  });

  it.each<[string, LookupAddress[]]>([
    ["this machine", [{ address: "127.0.0.1", family: 4 }]],
    ["this machine by IPv6", [{ address: "::1", family: 6 }]],
    [
      "a public address and a private one",
      [
        { address: "93.184.216.34", family: 4 },
        { address: "10.0.0.1", family: 4 },
      ],
    ],
    ["no address", []],
  ])("does not connect to a domain that leads to %s", async (_, addresses) => {
    let connections = 0;
    const { resolve } = await resolverFor(serving(TOML), {
      isPublicAddress,
      lookup: (_, __, callback) => callback(null, addresses),
    });
    server?.on("connection", () => {
      connections += 1;
    });
    await expect(resolve(CLIENT_DOMAIN)).rejects.toThrow("not public");
    expect(connections).toBe(0);
  });

  it("rejects a domain that does not exist", async () => {
    const { resolve } = await resolverFor(serving(TOML), {
      lookup: (_, __, callback) => callback(new Error("ENOTFOUND"), []),
    });
    await expect(resolve(CLIENT_DOMAIN)).rejects.toThrow("ENOTFOUND");
  });

  it("never hands an address to the network, whose lookup is skipped for it", async () => {
    const { resolve, asked } = await resolverFor(serving(TOML));
    for (const domain of ["127.0.0.1", "[::1]", "localhost", "a.example:80", "2130706433"]) {
      await expect(resolve(domain)).rejects.toThrow("not a domain name");
    }
    expect(asked).toEqual([]);
  });
});

describe("isDomainName", () => {
  it.each([
    "example.com",
    "a.b.c.example.co",
    "xn--bcher-kva.example",
    "A.Example",
    "1.example",
    `${"a".repeat(56)}.example`,
  ])("takes %s", (text) => {
    expect(isDomainName(text)).toBe(true);
  });

  it.each([
    "",
    ".",
    "com",
    "localhost",
    "example.com.",
    ".example.com",
    "a..example",
    "-a.example",
    "a-.example",
    "a_b.example",
    "example.com:443",
    "example.com/x",
    "user@example.com",
    "https://example.com",
    "example.com\n",
    "exa mple.com",
    "bücher.example",
    "127.0.0.1",
    "127.1",
    "0x7f.1",
    "0x7f.0x1",
    "1.2.3.4.5",
    "[::1]",
    "::1",
    `${"a".repeat(57)}.example`,
    `${"a.".repeat(30)}example`,
  ])("refuses %j", (text) => {
    expect(isDomainName(text)).toBe(false);
  });
});

describe("signingKeyIn", () => {
  it.each([
    ["double quotes", `SIGNING_KEY="${KEY}"`],
    ["single quotes", `SIGNING_KEY='${KEY}'`],
    ["spaces and a comment", `  SIGNING_KEY = "${KEY}"  # ours`],
    ["CRLF", `VERSION="2.0.0"\r\nSIGNING_KEY="${KEY}"\r\nACCOUNTS=[]\r\n`],
    ["a list that begins on the line before", `ACCOUNTS=[\n"${OTHER_KEY}"\n]\nSIGNING_KEY="${KEY}"`],
    ["a key of the same name in a table", `SIGNING_KEY="${KEY}"\n[OTHER]\nSIGNING_KEY="${OTHER_KEY}"`],
  ])("finds the key with %s", (_, toml) => {
    expect(signingKeyIn(toml)).toBe(KEY);
  });

  it.each([
    ["none", 'VERSION="2.0.0"'],
    ["one in a comment", `#SIGNING_KEY="${KEY}"`],
    ["one in a table", `[OTHER]\nSIGNING_KEY="${KEY}"`],
    ["two", `SIGNING_KEY="${KEY}"\nSIGNING_KEY="${OTHER_KEY}"`],
    ["one without quotes", `SIGNING_KEY=${KEY}`],
    ["a seed", `SIGNING_KEY="${CLIENT_APP.secret()}"`],
    ["another name", `URI_REQUEST_SIGNING_KEY="${KEY}"`],
  ])("rejects %s", (_, toml) => {
    expect(() => signingKeyIn(toml)).toThrow();
  });
});

describe("isPublicAddress", () => {
  it.each(["1.1.1.1", "93.184.216.34", "172.15.255.255", "172.32.0.0", "100.63.255.255", "223.255.255.255"])(
    "%s is",
    (address) => {
      expect(isPublicAddress({ address, family: 4 })).toBe(true);
    },
  );
  it.each(["2606:4700:4700::1111", "2a00:1450:4001:80b::200e", "2001:4860:4860::8888"])(
    "%s is",
    (address) => {
      expect(isPublicAddress({ address, family: 6 })).toBe(true);
    },
  );
  it.each([
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
  ])("%s is not", (address) => {
    expect(isPublicAddress({ address, family: 4 })).toBe(false);
  });
  it.each([
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:1.1.1.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "3fff::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
  ])("%s is not", (address) => {
    expect(isPublicAddress({ address, family: 6 })).toBe(false);
  });
});
