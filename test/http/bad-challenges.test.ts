// SEP-10 answers that must not sign anyone in, over HTTP, with a Horizon that knows who may sign for whom.
import { type Keypair, StrKey } from "@stellar/stellar-sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  AUTH,
  CLIENT,
  craft,
  WEB_AUTH,
} from "../../packages/wallet-session/src/wallets/stellar/crafted-challenge.fixture.ts";
import { notChallenges } from "../../packages/wallet-session/src/wallets/stellar/not-challenges.fixture.ts";
import {
  ALICE,
  CLIENT_APP,
  HOME_DOMAIN,
  keyOf,
  SERVER,
  WEB_AUTH_DOMAIN,
} from "../../packages/wallet-session/src/wallets/stellar/wallet.fixture.ts";
import { json, ScriptedServer } from "../../packages/wallet-session/test/scripted-server.ts";
import { appUnderTest } from "../support/app-under-test.ts";
import { dump } from "../support/database.ts";
import { problemOf, STACK_TRACE } from "../support/http-client.ts";

const WALLET = "/api/auth/wallet";
const SMALL_ORDER = StrKey.encodeEd25519PublicKey(Buffer.alloc(32));
const BOB = keyOf("bob");

const horizon = new ScriptedServer();
beforeAll(async () => {
  await horizon.start();
});
afterAll(() => horizon.stop());

const app = appUnderTest(() => ({
  PUBLIC_URL: `https://${WEB_AUTH_DOMAIN}`,
  HOME_DOMAIN,
  STELLAR_SIGNING_SEED: SERVER.secret(),
  HORIZON_URL: horizon.origin,
}));

/** What Horizon says of Alice's account. */
function aliceIs(signers: [key: Keypair, weight: number][], medium = 0): void {
  horizon.answers(
    `GET /accounts/${ALICE.publicKey()}`,
    json({
      account_id: ALICE.publicKey(),
      thresholds: { low_threshold: 0, med_threshold: medium, high_threshold: medium },
      signers: signers.map(([key, weight]) => ({
        key: key.publicKey(),
        weight,
        type: "ed25519_public_key",
      })),
    }),
  );
}

function aliceIsUnknown(): void {
  const notFound = { type: "https://stellar.org/horizon-errors/not_found", status: 404 };
  horizon.answers(`GET /accounts/${ALICE.publicKey()}`, json(notFound, {}, 404));
}

/** Sends what must be refused: nothing is written, and nothing of it comes back. */
async function refusalOf(transaction: string): Promise<string> {
  const { client, server } = app;
  const before = dump(server);
  const answer = await client.send("POST", WALLET, { body: { transaction } });
  expect(dump(server)).toBe(before);
  expect(answer.text).not.toMatch(STACK_TRACE);
  if (transaction !== "") expect(answer.text).not.toContain(transaction.slice(0, 100));
  return problemOf(answer);
}

// One second apart, and all of them counted from the same one, so that no two good ones are the same challenge.
const BEGUN = Date.now();
let challengesMade = 0;
const uniqueTimes = (): [number, number] => {
  challengesMade += 1;
  return [-challengesMade, 299 - challengesMade];
};

test("a challenge like the crafted ones signs in, so that each case below is refused for what it says", async () => {
  aliceIsUnknown();
  for (const operations of [
    [AUTH, WEB_AUTH],
    [AUTH, WEB_AUTH, CLIENT],
  ]) {
    const signers = operations.includes(CLIENT) ? [SERVER, CLIENT_APP, ALICE] : [SERVER, ALICE];
    const transaction = craft(BEGUN, { times: uniqueTimes(), operations, signers });
    const answer = await app.client.send("POST", WALLET, { body: { transaction } });
    expect(answer.status).toBe(200);
  }
});

describe("what is no challenge of this server is refused", () => {
  const reasons = notChallenges(Date.now()).map(([reason]) => reason);
  test.each([...new Set(reasons)])("%s", async (reason) => {
    const cases = notChallenges(Date.now()).flatMap(([candidate, list]) =>
      candidate === reason ? list : [],
    );
    for (const [name, transaction] of cases) {
      // A megabyte does not get as far as being read, and no text at all is no answer.
      const expected =
        transaction.length > 65_536
          ? "413 body_too_large"
          : transaction === ""
            ? "400 invalid_request"
            : "400 challenge_invalid";
      expect([name, await refusalOf(transaction)]).toEqual([name, expected]);
    }
  });
});

test("an expired challenge is refused as such", async () => {
  expect(await refusalOf(craft(Date.now(), { times: [-301, -1] }))).toBe("400 challenge_expired");
});

describe("signatures that do not suffice are refused", () => {
  const MEDIUM = 2;
  const cases: [name: string, signers: Keypair[], account: [Keypair, number][] | null][] = [
    ["nobody's", [SERVER], null],
    ["a stranger's", [SERVER, BOB], null],
    ["the client's, and a stranger's beside it", [SERVER, ALICE, BOB], null],
    ["the client's, doubled", [SERVER, ALICE, ALICE], null],
    ["the client's, doubled to reach the threshold", [SERVER, ALICE, ALICE], [[ALICE, 1]]],
    ["the server's, doubled", [SERVER, SERVER], null],
    ["one of too little weight", [SERVER, ALICE], [[ALICE, 1]]],
    [
      "the server's as a listed signer",
      [SERVER, SERVER, ALICE],
      [
        [ALICE, 1],
        [SERVER, 9],
      ],
    ],
    [
      "a master key of no weight",
      [SERVER, ALICE],
      [
        [ALICE, 0],
        [BOB, 2],
      ],
    ],
  ];
  test.each(cases)("%s", async (_, signers, account) => {
    if (account === null) aliceIsUnknown();
    else aliceIs(account, MEDIUM);
    const transaction = craft(BEGUN, { times: uniqueTimes(), signers });
    expect(await refusalOf(transaction)).toBe("400 signature_invalid");
  });

  test.each([
    ["the client domain's alone", [SERVER, CLIENT_APP]],
    ["the client's without the client domain's", [SERVER, ALICE]],
  ])("%s", async (_, signers) => {
    aliceIsUnknown();
    const transaction = craft(BEGUN, {
      times: uniqueTimes(),
      operations: [AUTH, WEB_AUTH, CLIENT],
      signers,
    });
    expect(await refusalOf(transaction)).toBe("400 signature_invalid");
  });

  test("but those that reach the threshold together sign in, each counted once", async () => {
    aliceIs(
      [
        [ALICE, 1],
        [BOB, 1],
      ],
      MEDIUM,
    );
    const transaction = craft(BEGUN, { times: uniqueTimes(), signers: [SERVER, ALICE, BOB] });
    const answer = await app.client.send("POST", WALLET, { body: { transaction } });
    expect(answer.status).toBe(200);
  });
});

test("a Horizon that does not know is a fault, never an account without signers; then the challenge is still good", async () => {
  const { client, server } = app;
  horizon.answers(`GET /accounts/${ALICE.publicKey()}`, json({ type: "about:blank" }, {}, 404));
  const body = { transaction: craft(BEGUN, { times: uniqueTimes() }) };
  const before = dump(server);
  const answer = await client.send("POST", WALLET, { body });
  expect(problemOf(answer)).toBe("503 horizon_unavailable");
  expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(dump(server)).toBe(before);
  aliceIsUnknown();
  expect((await client.send("POST", WALLET, { body })).status).toBe(200);
});

test.each([
  ["a small-order key", `account=${SMALL_ORDER}`],
  ["the server's own key", `account=${SERVER.publicKey()}`],
  ["a memo beside a muxed account", `account=${muxed(ALICE)}&memo=1`],
  ["a text memo", `account=${ALICE.publicKey()}&memo=hello`],
  ["another home domain", `account=${ALICE.publicKey()}&home_domain=evil.example`],
  ["an address of the loopback as client domain", `account=${ALICE.publicKey()}&client_domain=127.0.0.1`],
  ["this machine as client domain", `account=${ALICE.publicKey()}&client_domain=localhost`],
  ["two accounts", `account=${ALICE.publicKey()}&account=${BOB.publicKey()}`],
  ["no account", ""],
])("no challenge is made for %s", async (_, query) => {
  const answer = await app.client.send("GET", `${WALLET}?${query}`);
  expect(problemOf(answer)).toBe("400 invalid_request");
});

function muxed(key: Keypair): string {
  return StrKey.encodeMed25519PublicKey(Buffer.concat([key.rawPublicKey(), Buffer.alloc(8, 1)]));
}
