import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { horizonSigners } from "./horizon.ts";
import { ALICE, keyOf } from "./wallet.fixture.ts";

const accountId = ALICE.publicKey();
const BOB = keyOf("bob").publicKey();

/** As Horizon writes it, with fields that nobody here asks for. */
const ACCOUNT = {
  _links: { self: { href: `https://horizon.example/accounts/${accountId}` } },
  id: accountId,
  account_id: accountId,
  sequence: "3298702387052545",
  thresholds: { low_threshold: 1, med_threshold: 2, high_threshold: 3 },
  balances: [{ balance: "9999.9999900", asset_type: "native" }],
  signers: [
    { weight: 1, key: BOB, type: "ed25519_public_key" },
    { weight: 0, key: accountId, type: "ed25519_public_key" },
    { weight: 255, key: "XDRPF6NZRR7EEVO7ESIWUDXHAOMM2QSKIQQBJK6I2FB7YKDZES5UCLWD", type: "sha256_hash" },
  ],
  data: {},
};
const NOT_FOUND = {
  type: "https://stellar.org/horizon-errors/not_found",
  title: "Resource Missing",
  status: 404,
  detail: "The resource at the url requested was not found.",
};

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve) ?? resolve(undefined));
  server = undefined;
});

/** A Horizon on this machine. */
async function horizon(listener: RequestListener): Promise<string> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
}

function answering(status: number, body: unknown, contentType = "application/json"): RequestListener {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return (_, response) => response.writeHead(status, { "content-type": contentType }).end(text);
}

async function load(listener: RequestListener, timeoutMs = 5_000) {
  return horizonSigners({ horizonUrl: await horizon(listener), fetch, timeoutMs }).load(accountId);
}

describe("horizonSigners", () => {
  it("reads signers and the medium threshold", async () => {
    await expect(load(answering(200, ACCOUNT))).resolves.toEqual({
      exists: true,
      mediumThreshold: 2,
      signers: ACCOUNT.signers.map(({ key, weight }) => ({ key, weight })),
    });
  });

  it("takes Horizon's word that there is no such account", async () => {
    const noSuchAccount = answering(404, NOT_FOUND, "application/problem+json; charset=utf-8");
    await expect(load(noSuchAccount)).resolves.toEqual({ exists: false });
  });

  it.each(["", "/", "/horizon", "/horizon/"])("asks below the URL's path %j", async (path) => {
    const asked: (string | undefined)[] = [];
    const url = await horizon((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      answering(200, ACCOUNT)(request, response);
    });
    await horizonSigners({ horizonUrl: url + path, fetch }).load(accountId);
    expect(asked).toEqual([`GET ${path.replace(/\/$/, "")}/accounts/${accountId}`]);
  });

  const faults: [string, RequestListener][] = [
    ["500", answering(500, { type: "https://stellar.org/horizon-errors/server_error", status: 500 })],
    ["503 in words", answering(503, "Service Unavailable", "text/plain")],
    ["504", answering(504, { type: "https://stellar.org/horizon-errors/timeout", status: 504 })],
    ["429", answering(429, { type: "https://stellar.org/horizon-errors/rate_limit_exceeded", status: 429 })],
    ["403", answering(403, {})],
    ["410", answering(410, NOT_FOUND)],
    ["204", (_, response) => response.writeHead(204).end()],
    ["a proxy's 404 in HTML", answering(404, "<html>404</html>", "text/html")],
    ["a 404 in JSON that is not Horizon's", answering(404, { message: "no route" })],
    [
      "a 404 about something else",
      answering(404, { ...NOT_FOUND, type: "https://stellar.org/horizon-errors/not_acceptable" }),
    ],
    ["a 404 with an empty body", answering(404, "")],
    ["'not found' with status 200", answering(200, NOT_FOUND)],
    [
      "a redirect",
      (request, response) => {
        if (request.url === "/elsewhere") answering(200, ACCOUNT)(request, response);
        else response.writeHead(302, { location: "/elsewhere" }).end();
      },
    ],
    ["an empty body", answering(200, "")],
    ["half a JSON document", answering(200, JSON.stringify(ACCOUNT).slice(0, 200))],
    ["invalid UTF-8", (_, response) => response.end(Buffer.from([0x22, 0xff, 0x22]))],
    ["a JSON array", answering(200, [ACCOUNT])],
    ["null", answering(200, null)],
    ["another account", answering(200, { ...ACCOUNT, account_id: BOB })],
    ["no account_id", answering(200, { ...ACCOUNT, account_id: undefined })],
    ["no signers", answering(200, { ...ACCOUNT, signers: undefined })],
    ["signers that are no list", answering(200, { ...ACCOUNT, signers: {} })],
    ["a signer that is no object", answering(200, { ...ACCOUNT, signers: [BOB] })],
    ["a signer without a key", answering(200, { ...ACCOUNT, signers: [{ weight: 1 }] })],
    ["a signer without a weight", answering(200, { ...ACCOUNT, signers: [{ key: BOB }] })],
    ["a weight in a string", answering(200, { ...ACCOUNT, signers: [{ key: BOB, weight: "1" }] })],
    ["a negative weight", answering(200, { ...ACCOUNT, signers: [{ key: BOB, weight: -1 }] })],
    ["half a weight", answering(200, { ...ACCOUNT, signers: [{ key: BOB, weight: 0.5 }] })],
    ["a weight of 256", answering(200, { ...ACCOUNT, signers: [{ key: BOB, weight: 256 }] })],
    [
      "more signers than an account can have",
      answering(200, { ...ACCOUNT, signers: Array(22).fill({ key: BOB, weight: 1 }) }),
    ],
    ["no thresholds", answering(200, { ...ACCOUNT, thresholds: undefined })],
    ["no medium threshold", answering(200, { ...ACCOUNT, thresholds: { low_threshold: 0 } })],
    ["a threshold of null", answering(200, { ...ACCOUNT, thresholds: { med_threshold: null } })],
    ["a body of more than a megabyte", answering(200, { ...ACCOUNT, data: "x".repeat(1_100_000) })],
    [
      "a connection that breaks off",
      (_, response) =>
        response.writeHead(200, { "content-length": "1000" }).write("{", () => response.destroy()),
    ],
    ["a connection that is refused", (request) => request.socket.destroy()],
  ];
  it.each(faults)("calls %s a fault, never a missing account", async (_, listener) => {
    await expect(load(listener)).rejects.toMatchObject({
      code: "horizon_unavailable",
      retryAfterSeconds: 5,
    });
  });

  it.each<[string, RequestListener]>([
    ["the first byte", () => undefined],
    ["the last", (_, response) => response.writeHead(200).write("{")],
  ])("waits for %s no longer than it is told to", async (_, listener) => {
    await expect(load(listener, 50)).rejects.toMatchObject({ code: "horizon_unavailable" });
  });

  it("calls a server that is not there a fault", async () => {
    const url = await horizon(() => undefined);
    await new Promise((resolve) => server?.close(resolve));
    await expect(horizonSigners({ horizonUrl: url, fetch }).load(accountId)).rejects.toMatchObject({
      code: "horizon_unavailable",
    });
  });

  it.each([
    "horizon.example",
    "ftp://horizon.example",
    "https://user:password@horizon.example",
    "https://horizon.example/?a=b",
    "https://horizon.example/#a",
  ])("refuses the URL %s", (horizonUrl) => {
    expect(() => horizonSigners({ horizonUrl, fetch })).toThrow(TypeError);
  });
});
