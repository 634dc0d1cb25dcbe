import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Account, type Keypair, Memo, WebAuth } from "@stellar/stellar-sdk";
import { SigningKeypair, StellarConfiguration, Wallet } from "@stellar/typescript-wallet-sdk";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createManualClock } from "../../testing/manual-clock.ts";
import { createWalletKeypair } from "../../testing/wallet-keypair.ts";
import { masterKeyOnly } from "./answer.ts";
import { AUTH, CLIENT, craft, WEB_AUTH } from "./crafted-challenge.fixture.ts";
import { readAtMost } from "./read-at-most.ts";
import {
  ALICE,
  CLIENT_APP,
  CLIENT_DOMAIN,
  HOME_DOMAIN,
  keyOf,
  NETWORK,
  SERVER,
  signersOf,
  WEB_AUTH_DOMAIN,
  walletAt,
} from "./wallet.fixture.ts";
import { createStellarWallet, type StellarWallet } from "./wallet.ts";

const NOW = createManualClock().now();
const BOB = keyOf("bob");
const account = ALICE.publicKey();

describe("the Stellar SDK", () => {
  // It reads the time from Date, which has to tell what our clock tells.
  beforeEach(() => {
    vi.useFakeTimers({ now: NOW, toFake: ["Date"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("reads our challenges", async () => {
    const { wallet } = walletAt();
    const read = (transaction: string) =>
      WebAuth.readChallengeTx(transaction, wallet.signingKey, NETWORK, HOME_DOMAIN, WEB_AUTH_DOMAIN);
    const muxed = "MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVAAAAAAAAAAAAAJLK";
    const requests = [
      { account },
      { account: muxed },
      { account, memo: "18446744073709551615" },
      { account, client_domain: CLIENT_DOMAIN },
    ];
    for (const request of requests) {
      const { transaction } = await wallet.challenge(request);
      expect(read(transaction)).toMatchObject({
        clientAccountID: request.account,
        matchedHomeDomain: HOME_DOMAIN,
        memo: request.memo ?? null,
      });
    }
  });

  it("has its own challenges accepted, when it builds them with our key", async () => {
    const { wallet } = walletAt();
    const transaction = WebAuth.buildChallengeTx(
      SERVER,
      account,
      HOME_DOMAIN,
      300,
      NETWORK,
      WEB_AUTH_DOMAIN,
      "7",
      CLIENT_DOMAIN,
      CLIENT_APP.publicKey(),
    );
    const signed = [CLIENT_APP, ALICE].reduce(
      (envelope, key) =>
        createWalletKeypair(key.rawSecretKey()).sign({ transaction: envelope, network_passphrase: NETWORK }),
      transaction,
    );
    await expect(wallet.verify({ transaction: signed })).resolves.toMatchObject({ actorId: `${account}:7` });
  });

  it("refuses nothing that we accept, whatever is put together", async () => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(CRAFTED, async ({ crafted, signers, mediumThreshold }) => {
        const transaction = craft(NOW, crafted);
        const { wallet } = walletAt({
          accountSigners: signersOf({ exists: true, signers, mediumThreshold }),
        });
        const ours = await wallet.verify({ transaction }).then(
          () => true,
          () => false,
        );
        if (ours) accepted += 1;
        if (ours) expect(sdkAccepts(transaction, signers, mediumThreshold)).toBe(true);
      }),
      { numRuns: 300, seed: 10 },
    );
    // Both answers occur, or the comparison would say nothing.
    expect(accepted).toBeGreaterThan(20);
    expect(accepted).toBeLessThan(280);
  });
});

function sdkAccepts(
  transaction: string,
  signers: { key: string; weight: number }[],
  threshold: number,
): boolean {
  const summary = signers.map((signer) => ({ ...signer, type: "ed25519_public_key" }));
  try {
    WebAuth.verifyChallengeTxThreshold(
      transaction,
      SERVER.publicKey(),
      NETWORK,
      threshold,
      summary,
      HOME_DOMAIN,
      WEB_AUTH_DOMAIN,
    );
    return true;
  } catch {
    return false;
  }
}

/** Mostly as it should be, so that each fault is often the only one. */
function mostly<T>(usual: T, ...others: T[]): fc.Arbitrary<T> {
  return fc.oneof(
    { weight: 20, arbitrary: fc.constant(usual) },
    ...others.map((other) => fc.constant(other)),
  );
}

const CRAFTED = fc.record({
  crafted: fc.record({
    source: mostly(
      new Account(SERVER.publicKey(), "-1"),
      new Account(account, "-1"),
      new Account(SERVER.publicKey(), "0"),
    ).map(
      // A builder counts its account's sequence number up: each needs one of its own.
      (source) => new Account(source.accountId(), source.sequenceNumber()),
    ),
    operations: fc.oneof(
      mostly([AUTH, WEB_AUTH], [AUTH, WEB_AUTH, CLIENT], [AUTH], [AUTH, CLIENT], [WEB_AUTH, AUTH]),
      fc.array(fc.constantFrom(AUTH, WEB_AUTH, CLIENT), { maxLength: 4 }),
    ),
    memo: mostly<Memo>(Memo.none(), Memo.id("5"), Memo.text("five")),
    times: mostly<[number, number]>([0, 300], [-400, -350], [-200, 100], [310, 400], [0, 900]),
    signers: fc.oneof(
      mostly([SERVER, ALICE], [ALICE, SERVER], [SERVER, CLIENT_APP, ALICE], [SERVER, ALICE, BOB]),
      fc.array(fc.constantFrom<Keypair>(SERVER, ALICE, BOB, CLIENT_APP), { maxLength: 4 }),
    ),
  }),
  signers: fc.uniqueArray(
    fc.record({
      key: fc.constantFrom(...[ALICE, ALICE, ALICE, BOB, SERVER, CLIENT_APP].map((key) => key.publicKey())),
      weight: fc.constantFrom(1, 1, 2, 0),
    }),
    { minLength: 1, maxLength: 4, selector: ({ key }) => key },
  ),
  mediumThreshold: fc.constantFrom(1, 1, 1, 2, 0),
});

describe("the Stellar wallet SDK", () => {
  let server: Server;
  let address: string;
  let actorIds: string[];

  beforeEach(async () => {
    actorIds = [];
    let wallet: StellarWallet;
    server = createServer((request, response) => {
      answer(wallet, request.url ?? "", request, actorIds).then(
        (body) => response.end(body),
        (error: unknown) => response.writeHead(400).end(String(error)),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    address = `127.0.0.1:${port}`;
    wallet = createStellarWallet({
      signingSeed: SERVER.secret(),
      networkPassphrase: NETWORK,
      homeDomain: address,
      webAuthEndpoint: `http://${address}/auth`,
      accountSigners: masterKeyOnly,
    });
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it("finds the endpoint by stellar.toml and signs in, with and without a memo", async () => {
    const anchor = new Wallet({ stellarConfiguration: StellarConfiguration.TestNet() }).anchor({
      homeDomain: address,
      allowHttp: true,
    });
    const accountKp = SigningKeypair.fromSecret(ALICE.secret());
    const sep10 = await anchor.sep10();
    await sep10.authenticate({ accountKp });
    await sep10.authenticate({ accountKp, memoId: "123" });
    expect(actorIds).toEqual([account, `${account}:123`]);
    expect(await anchor.sep1()).toMatchObject({
      signingKey: SERVER.publicKey(),
      networkPassphrase: NETWORK,
      webAuthEndpoint: `http://${address}/auth`,
      documentation: { orgName: address },
    });
  });
});

/** The least of a SEP-10 server; its token says nothing and is signed by nobody. */
async function answer(
  wallet: StellarWallet,
  url: string,
  body: AsyncIterable<Uint8Array>,
  actorIds: string[],
): Promise<string> {
  if (url === "/.well-known/stellar.toml") return wallet.wellKnown["stellar.toml"];
  const { searchParams } = new URL(url, "http://localhost");
  const text = await readAtMost(body, 4_096);
  if (text === "") {
    return JSON.stringify(
      await wallet.challenge({
        account: searchParams.get("account") ?? undefined,
        memo: searchParams.get("memo") ?? undefined,
        home_domain: searchParams.get("home_domain") ?? undefined,
      }),
    );
  }
  const { actorId } = await wallet.verify(JSON.parse(text));
  actorIds.push(actorId);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const token = `${part({ alg: "none", typ: "JWT" })}.${part({ sub: actorId, exp: 9_999_999_999 })}.`;
  return JSON.stringify({ token });
}
