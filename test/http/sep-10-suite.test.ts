// What Stellar's own suite for SEP-10 servers expects, each of its checks in our words. It finds the server by stellar.toml.
import { Keypair, StrKey, Transaction, WebAuth } from "@stellar/stellar-sdk";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { json, ScriptedServer } from "../../packages/wallet-session/test/scripted-server.ts";
import { startServe } from "../support/app-server.ts";
import { appUnderTest } from "../support/app-under-test.ts";
import type { Answer } from "../support/http-client.ts";

const NETWORK = "Test SDF Network ; September 2015";
const HOST = "anchor.example.com";
const ENDPOINT = `https://${HOST}/api/auth/wallet`;
const SEED = Keypair.random();
const { pathname: WALLET } = new URL(ENDPOINT);

const horizon = new ScriptedServer();
beforeAll(async () => {
  await horizon.start();
});
afterAll(() => horizon.stop());
const app = appUnderTest(
  () => ({
    PUBLIC_URL: `https://${HOST}`,
    STELLAR_SIGNING_SEED: SEED.secret(),
    HORIZON_URL: horizon.origin,
  }),
  startServe,
);

/** An account of which Horizon says this; without signers it does not know it. */
function account(medium = 0, signers: readonly Keypair[] = []): Keypair {
  const key = Keypair.random();
  const state = {
    account_id: key.publicKey(),
    thresholds: { low_threshold: medium, med_threshold: medium, high_threshold: medium },
    signers: [key, ...signers].map((signer) => ({
      key: signer.publicKey(),
      weight: 1,
      type: "ed25519_public_key",
    })),
  };
  const unknown = { type: "https://stellar.org/horizon-errors/not_found", status: 404 };
  const known = medium > 0;
  horizon.answers(`GET /accounts/${key.publicKey()}`, known ? json(state) : json(unknown, {}, 404));
  return key;
}

async function challengeFor(key: Keypair): Promise<Transaction> {
  const answer = await app.client.send("GET", `${WALLET}?account=${key.publicKey()}`);
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/json"]);
  return new Transaction(String(answer.json.transaction), NETWORK);
}

async function answerOf(key: Keypair, ...signers: readonly Keypair[]): Promise<Answer> {
  const challenge = await challengeFor(key);
  for (const signer of signers) challenge.sign(signer);
  return post({ transaction: challenge.toXdr() });
}

const post = (body: object): Promise<Answer> => app.client.send("POST", WALLET, { body });

function expectToken({ status, headers, json: body }: Answer, key: Keypair): void {
  expect([status, headers.get("content-type")]).toEqual([200, "application/json"]);
  const { iss, sub, iat, exp } = decodeJwt(String(body.token));
  expect([iss, sub]).toEqual([`https://${HOST}`, key.publicKey()]);
  expect(exp).toBeGreaterThan(iat ?? Number.POSITIVE_INFINITY);
}

function expectRefusal({ status, headers, json: body }: Answer): void {
  expect([status, headers.get("content-type")]).toEqual([400, "application/json"]);
  expect(body.error).toEqual(expect.stringMatching(/./));
}

describe("stellar.toml", () => {
  const toml = () => app.client.send("GET", "/.well-known/stellar.toml");

  test("is there, for every origin, below 100 KB", async () => {
    const { status, headers, text } = await toml();
    expect([status, headers.get("access-control-allow-origin")]).toEqual([200, "*"]);
    expect(text.length).toBeLessThan(100_000);
  });

  test("has a WEB_AUTH_ENDPOINT by https, without a slash at its end", async () => {
    expect((await toml()).text).toContain(`WEB_AUTH_ENDPOINT="${ENDPOINT}"\n`);
  });

  test("has the SIGNING_KEY", async () => {
    const [, key = ""] = /^SIGNING_KEY="(.*)"$/m.exec((await toml()).text) ?? [];
    expect([StrKey.isValidEd25519PublicKey(key), key]).toEqual([true, SEED.publicKey()]);
  });
});

describe("GET", () => {
  test("answers with a challenge alone, of this time, this domain and this key", async () => {
    const key = account();
    const before = Math.floor(Date.now() / 1_000);
    const { json: body } = await app.client.send("GET", `${WALLET}?account=${key.publicKey()}`);
    expect(Object.keys(body)).toEqual(["transaction", "network_passphrase"]);
    const challenge = new Transaction(String(body.transaction), NETWORK);
    const { sequence, source, timeBounds, operations, signatures } = challenge;
    expect([body.network_passphrase, sequence, source]).toEqual([NETWORK, "0", SEED.publicKey()]);
    expect(Number(timeBounds?.minTime)).toBeGreaterThanOrEqual(before);
    expect(Number(timeBounds?.minTime)).toBeLessThanOrEqual(Date.now() / 1_000);
    expect(signatures).toHaveLength(1);
    expect(operations.map((operation) => operation.type === "manageData" && operation.name)).toEqual([
      `${HOST} auth`,
      "web_auth_domain",
    ]);
    WebAuth.readChallengeTx(String(body.transaction), SEED.publicKey(), NETWORK, HOST, HOST);
  });

  test.each([
    ["no account", ""],
    ["an invalid account", "?account=invalid-account"],
  ])("refuses %s", async (_, query) => {
    expectRefusal(await app.client.send("GET", WALLET + query));
  });
});

describe("POST", () => {
  test("answers a form with a token", async () => {
    const key = account();
    const challenge = await challengeFor(key);
    challenge.sign(key);
    const body = `transaction=${encodeURIComponent(challenge.toXdr())}`;
    const headers = { "Content-Type": "application/x-www-form-urlencoded" };
    expectToken(await app.client.send("POST", WALLET, { body, headers }), key);
  });

  test("answers JSON with a token", async () => {
    const key = account();
    expectToken(await answerOf(key, key), key);
  });

  test("refuses a body without a transaction", async () => {
    expectRefusal(await post({}));
  });

  test("refuses a transaction that is none", async () => {
    expectRefusal(await post({ transaction: { "not a transaction": true } }));
  });

  test("refuses a challenge that the client has not signed", async () => {
    expectRefusal(await answerOf(account()));
  });

  test("refuses a challenge of another server", async () => {
    const key = account();
    const transaction = WebAuth.buildChallengeTx(key, key.publicKey(), HOST, 15, NETWORK, HOST);
    expectRefusal(await post({ transaction }));
  });

  test("refuses a stranger's signature for an account that does not exist", async () => {
    const key = account();
    expectRefusal(await answerOf(key, key, Keypair.random()));
  });
});

describe("the account's signers", () => {
  test("below the medium threshold are refused", async () => {
    const key = account(2);
    expectRefusal(await answerOf(key, key));
  });

  test("sign in without the master key", async () => {
    const other = Keypair.random();
    const key = account(1, [other]);
    expectToken(await answerOf(key, other), key);
  });

  test("count once, however often they sign", async () => {
    const other = Keypair.random();
    expectRefusal(await answerOf(account(2, [other]), other, other));
  });

  test("reach the threshold together", async () => {
    const [one, other] = [Keypair.random(), Keypair.random()];
    const key = account(2, [one, other]);
    expectToken(await answerOf(key, one, other), key);
  });
});
