// Sign-in by SEP-10 over HTTP: stock clients as they come from npm, and challenges that are good once.
import { gzipSync } from "node:zlib";
import { Keypair, Transaction, WebAuth } from "@stellar/stellar-sdk";
import { SigningKeypair, StellarConfiguration, Wallet } from "@stellar/typescript-wallet-sdk";
import { describe, expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { appUnderTest } from "../support/app-under-test.ts";
import { problemOf, textOf } from "../support/http-client.ts";
import { tokensOf } from "../support/session-client.ts";

const NETWORK = "Test SDF Network ; September 2015";
const WALLET = "/api/auth/wallet";

const app = appUnderTest();

describe("the stock wallet SDK", () => {
  test.each([
    ["an account", undefined],
    ["an account with a memo", "123456"],
  ])("finds the server by its stellar.toml and signs in %s", async (_, memoId) => {
    const { client, server, witness } = app;
    const wallet = new Wallet({ stellarConfiguration: StellarConfiguration.TestNet() });
    const anchor = wallet.anchor({ homeDomain: new URL(server.publicUrl).host, allowHttp: true });
    const key = Keypair.random();
    const sep10 = await anchor.sep10();
    const { token, account, memo } = await sep10.authenticate({
      accountKp: SigningKeypair.fromSecret(key.secret()),
      ...(memoId !== undefined && { memoId }),
    });
    witness.add(token);
    expect([account, memo ?? undefined]).toEqual([key.publicKey(), memoId]);
    const { json } = await client.session(token);
    expect(json.actor_id).toBe(memoId === undefined ? key.publicKey() : `${key.publicKey()}:${memoId}`);
  });
});

test("the Stellar SDK reads the challenge, and finds that what signs in is signed", async () => {
  const { client, server } = app;
  const key = Keypair.random();
  const { host, hostname } = new URL(server.publicUrl);
  const serverKey = Keypair.fromSecret(server.settings.STELLAR_SIGNING_SEED ?? "").publicKey();
  const toml = await client.send("GET", "/.well-known/stellar.toml");
  expect(toml.text).toContain(`SIGNING_KEY="${serverKey}"`);
  expect(toml.text).toContain(`WEB_AUTH_ENDPOINT="${server.publicUrl}${WALLET}"`);
  expect(toml.headers.get("access-control-allow-origin")).toBe("*");

  const challenge = await client.send("GET", `${WALLET}?account=${key.publicKey()}&home_domain=${host}`);
  const read = WebAuth.readChallengeTx(textOf(challenge, "transaction"), serverKey, NETWORK, host, hostname);
  expect(read).toMatchObject({ clientAccountID: key.publicKey(), matchedHomeDomain: host, memo: null });

  const transaction = new Transaction(textOf(challenge, "transaction"), NETWORK);
  transaction.sign(key);
  const signed = transaction.toXdr();
  expect(
    WebAuth.verifyChallengeTxSigners(signed, serverKey, NETWORK, [key.publicKey()], host, hostname),
  ).toEqual([key.publicKey()]);
  const { accessToken } = tokensOf(await client.send("POST", WALLET, { body: { transaction: signed } }));
  expect((await client.session(accessToken)).json.actor_id).toBe(key.publicKey());
});

test("the answer is the documented one: the same token under both names, readable from any origin", async () => {
  const { client } = app;
  const answer = await client.send("POST", WALLET, {
    body: await client.answerFor(),
    headers: { Origin: "https://wallet.example" },
  });
  expect(Object.keys(answer.json)).toEqual([
    "token",
    "access_token",
    "token_type",
    "expires_in",
    "refresh_token",
    "refresh_expires_in",
    "session_id",
  ]);
  expect(answer.json.token).toBe(answer.json.access_token);
  expect(answer.json).toMatchObject({ token_type: "Bearer", expires_in: 900, refresh_expires_in: 604_800 });
  expect(answer.headers.get("access-control-allow-origin")).toBe("*");
  expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(answer.setCookies).toEqual([]);
});

test("a page of another origin may ask what it may send, and reads refusals too", async () => {
  const { client } = app;
  const preflight = await client.send("OPTIONS", WALLET, {
    headers: {
      Origin: "https://wallet.example",
      "Access-Control-Request-Method": "POST",
      "Access-Control-Request-Headers": "content-type",
    },
  });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
  expect(preflight.headers.get("access-control-allow-headers")).toContain("Content-Type");
  const refusal = await client.send("GET", WALLET, { headers: { Origin: "https://wallet.example" } });
  expect(problemOf(refusal)).toBe("400 invalid_request");
  expect(refusal.headers.get("access-control-allow-origin")).toBe("*");
});

test("a challenge signs in once, also when it comes in a form or signed again", async () => {
  const { client } = app;
  const key = createWalletKeypair();
  const body = await client.answerFor(key);
  const form = {
    body: new URLSearchParams(body).toString(),
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
  };
  const { accessToken } = tokensOf(await client.send("POST", WALLET, form));
  expect(problemOf(await client.send("POST", WALLET, { body }))).toBe("400 challenge_used");
  expect(problemOf(await client.send("POST", WALLET, form))).toBe("400 challenge_used");
  expect((await client.list(accessToken)).json.sessions).toHaveLength(1);
});

test("a challenge and its body may be written as programs write them", async () => {
  const { client } = app;
  const { transaction } = await client.answerFor();
  const spelled = `${transaction.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "").replace(/.{76}/g, "$&\r\n")}\n`;
  const answer = await client.send("POST", WALLET, {
    body: new URLSearchParams({ transaction: spelled }).toString(),
    headers: { "Content-Type": "application/x-www-form-urlencoded; charset=ISO-8859-1; version=1" },
  });
  tokensOf(answer);
  expect(problemOf(await client.send("POST", WALLET, { body: { transaction } }))).toBe("400 challenge_used");
});

test("a compressed body is refused as such", async () => {
  const { client } = app;
  const body = new Uint8Array(gzipSync(JSON.stringify(await client.answerFor())));
  const headers = { "Content-Type": "application/json", "Content-Encoding": "gzip" };
  expect(problemOf(await client.send("POST", WALLET, { body, headers }))).toBe("415 unsupported_media_type");
});

test("public keys, and only those, are published for verifiers of access tokens", async () => {
  const { client } = app;
  const { accessToken } = await client.signIn();
  const { json, headers } = await client.send("GET", "/.well-known/jwks.json");
  expect(json).toEqual({
    keys: [
      {
        kty: "OKP",
        crv: "Ed25519",
        alg: "EdDSA",
        use: "sig",
        kid: expect.any(String),
        x: expect.stringMatching(/^[\w-]{43}$/),
      },
    ],
  });
  expect(headers.get("cache-control")).toBe("public, max-age=300");
  const [header = ""] = accessToken.split(".");
  const { kid } = JSON.parse(Buffer.from(header, "base64url").toString());
  expect(json.keys).toContainEqual(expect.objectContaining({ kid }));
});

test.each([
  ["PUT", "/api/auth/wallet", "405 method_not_allowed"],
  ["GET", "/api/auth/logout", "405 method_not_allowed"],
  ["DELETE", "/api/auth/session", "405 method_not_allowed"],
  ["GET", "/api/auth/nothing", "404 not_found"],
  ["POST", "/api/nothing/at/all", "404 not_found"],
])("%s %s is %s", async (method, path, expected) => {
  const answer = await app.client.send(method, path);
  expect(problemOf(answer)).toBe(expected);
  if (expected.startsWith("405")) expect(answer.headers.get("allow")).toContain("OPTIONS");
});

test("an answer in another form than JSON is not to be had", async () => {
  const answer = await app.client.send("GET", "/api/auth/session", { headers: { Accept: "text/html" } });
  expect(problemOf(answer)).toBe("406 not_acceptable");
});
