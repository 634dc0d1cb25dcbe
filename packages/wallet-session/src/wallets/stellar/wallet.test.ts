import { type Keypair, MuxedAccount, Account as SdkAccount, StrKey } from "@stellar/stellar-sdk/base";
import { describe, expect, it } from "vitest";
import { startEngine } from "../../engine/engine.fixture.ts";
import { CHALLENGE_MARK_KEPT_MS, CHALLENGE_TTL_MS, CLOCK_TOLERANCE_MS } from "../../limits.ts";
import { createMemoryStore } from "../../stores/memory.ts";
import {
  ALICE,
  CLIENT_APP,
  CLIENT_DOMAIN,
  decode,
  HOME_DOMAIN,
  keyOf,
  NETWORK,
  SERVER,
  signedBy,
  WEB_AUTH_DOMAIN,
  walletAt,
} from "./wallet.fixture.ts";

const account = ALICE.publicKey();
const muxed = new MuxedAccount(new SdkAccount(account, "0"), "18446744073709551615").accountId();

describe("a challenge", () => {
  it("is the transaction that SEP-10 describes", async () => {
    const { wallet, clock } = walletAt();
    const challenge = await wallet.challenge({ account, memo: "7", client_domain: CLIENT_DOMAIN });
    expect(challenge.network_passphrase).toBe(NETWORK);
    const transaction = decode(challenge.transaction);
    const nowSeconds = Math.floor(clock.now() / 1_000);
    expect(transaction).toMatchObject({ source: wallet.signingKey, sequence: "0", fee: "300" });
    expect(transaction.memo).toMatchObject({ type: "id", value: "7" });
    expect(transaction.timeBounds).toEqual({
      minTime: String(nowSeconds),
      maxTime: String(nowSeconds + CHALLENGE_TTL_MS / 1_000),
    });
    expect(
      transaction.operations.map((operation) => {
        if (operation.type !== "manageData") throw new Error(operation.type);
        return [operation.name, Buffer.from(operation.value ?? []).toString(), operation.source];
      }),
    ).toEqual([
      [`${HOME_DOMAIN} auth`, Buffer.alloc(48, 1).toString("base64"), account],
      ["web_auth_domain", WEB_AUTH_DOMAIN, SERVER.publicKey()],
      ["client_domain", CLIENT_DOMAIN, CLIENT_APP.publicKey()],
    ]);
    expect(transaction.signatures).toHaveLength(1);
  });

  it("differs from the one before it", async () => {
    const { wallet } = walletAt();
    const [one, two] = await Promise.all([wallet.challenge({ account }), wallet.challenge({ account })]);
    expect(one.transaction).not.toBe(two.transaction);
  });

  it("is good for as long as it is told to be", async () => {
    const { wallet } = walletAt({ challengeTtlMs: 20_000 });
    const { timeBounds } = decode((await wallet.challenge({ account })).transaction);
    expect(Number(timeBounds?.maxTime) - Number(timeBounds?.minTime)).toBe(20);
  });

  const smallOrder = StrKey.encodeEd25519PublicKey(Buffer.alloc(32));
  it.each([
    ["no account", { account: undefined }],
    ["an empty account", { account: "" }],
    ["an account in lower case", { account: account.toLowerCase() }],
    ["an account with a wrong checksum", { account: `${account.slice(0, -1)}A` }],
    ["a contract", { account: StrKey.encodeContract(Buffer.alloc(32, 1)) }],
    ["a secret seed", { account: ALICE.secret() }],
    ["a small-order key", { account: smallOrder }],
    [
      "a small-order key, muxed",
      { account: StrKey.encodeMed25519PublicKey(Buffer.concat([Buffer.alloc(32), Buffer.alloc(8, 1)])) },
    ],
    ["the server's own account", { account: SERVER.publicKey() }],
    ["a memo beside a muxed account", { account: muxed, memo: "1" }],
    ["an empty memo", { account, memo: "" }],
    ["a text memo", { account, memo: "hello" }],
    ["a negative memo", { account, memo: "-1" }],
    ["a fraction as memo", { account, memo: "1.0" }],
    ["an exponent as memo", { account, memo: "1e3" }],
    ["a hexadecimal memo", { account, memo: "0x1" }],
    ["a memo with a leading zero", { account, memo: "01" }],
    ["a memo with a line break", { account, memo: "1\n" }],
    ["a memo of 2^64", { account, memo: "18446744073709551616" }],
    ["another home domain", { account, home_domain: "other.example.com" }],
    ["the home domain in upper case", { account, home_domain: HOME_DOMAIN.toUpperCase() }],
    ["an empty home domain", { account, home_domain: "" }],
    ["an empty client domain", { account, client_domain: "" }],
    ["an address as client domain", { account, client_domain: "127.0.0.1" }],
  ])("is refused for %s", async (_, request) => {
    const { wallet } = walletAt();
    await expect(wallet.challenge(request)).rejects.toMatchObject({ code: "invalid_request" });
  });

  it.each([
    ["cannot be found", () => Promise.reject(new Error("no such host"))],
    ["is not a key", async () => "G"],
    ["is a small-order key", async () => smallOrder],
    ["is the server's", async () => SERVER.publicKey()],
  ])("is refused for a client domain whose key %s", async (_, clientDomainKey) => {
    const { wallet } = walletAt({ clientDomainKey });
    await expect(wallet.challenge({ account, client_domain: CLIENT_DOMAIN })).rejects.toMatchObject({
      code: "invalid_request",
    });
  });
});

describe("a signed challenge", () => {
  it.each([
    ["an account", { account }, account],
    ["an account with a memo", { account, memo: "0" }, `${account}:0`],
    ["the greatest memo", { account, memo: "18446744073709551615" }, `${account}:18446744073709551615`],
    ["a muxed account", { account: muxed }, muxed],
    ["a home domain", { account, home_domain: HOME_DOMAIN }, account],
  ])("signs in %s", async (_, request, actorId) => {
    const { wallet } = walletAt();
    const { transaction } = await wallet.challenge(request);
    await expect(wallet.verify({ transaction: signedBy(transaction, ALICE) })).resolves.toMatchObject({
      actorId,
    });
  });

  it("signs in with a client domain that has signed as well, in either order", async () => {
    const { wallet } = walletAt();
    const { transaction } = await wallet.challenge({ account, client_domain: CLIENT_DOMAIN });
    for (const keys of [
      [ALICE, CLIENT_APP],
      [CLIENT_APP, ALICE],
    ]) {
      const answer = { transaction: signedBy(transaction, ...keys) };
      await expect(wallet.verify(answer)).resolves.toMatchObject({ actorId: account });
    }
  });

  it("is one and the same challenge for every signer, consumed until no node accepts it", async () => {
    const { wallet } = walletAt();
    const { transaction } = await wallet.challenge({ account });
    const { challenge } = await wallet.verify({ transaction: signedBy(transaction, ALICE) });
    expect(challenge).toEqual({
      id: Buffer.from(decode(transaction).hash()).toString("hex"),
      expiresAt: Number(decode(transaction).timeBounds?.maxTime) * 1_000 + CHALLENGE_MARK_KEPT_MS,
    });

    const bob = keyOf("bob");
    const shared = walletAt({
      accountSigners: {
        load: async () => ({
          exists: true,
          mediumThreshold: 1,
          signers: [
            { key: account, weight: 1 },
            { key: bob.publicKey(), weight: 1 },
          ],
        }),
      },
    }).wallet;
    const signers: Keypair[][] = [[ALICE], [bob], [ALICE, bob], [bob, ALICE]];
    const answers = await Promise.all(
      signers.map((keys) => shared.verify({ transaction: signedBy(transaction, ...keys) })),
    );
    expect(new Set(answers.map((answer) => answer.challenge.id))).toEqual(new Set([challenge.id]));
  });
});

it("makes one session, however long an answer that was verified in time is on its way", async () => {
  const { wallet, clock } = walletAt();
  const store = createMemoryStore();
  const { engine } = await startEngine(store, { clock });
  const client = { browser: null, os: null, device: null, ip: null };
  const { transaction } = await wallet.challenge({ account });
  clock.advance(CHALLENGE_TTL_MS - 1_000);
  const answer = { transaction: signedBy(transaction, ALICE) };
  const [first, second] = await Promise.all([wallet.verify(answer), wallet.verify(answer)]);
  await engine.signIn(first, { transport: "body", client });
  // What a slow Horizon and a locked database add up to, and more.
  clock.advance(60_000);
  await store.prune({
    now: clock.now(),
    sessionsBefore: 0,
    revocationsBefore: 0,
    eventsBefore: 0,
    limit: 10,
  });
  await expect(engine.signIn(second, { transport: "body", client })).rejects.toMatchObject({
    code: "challenge_used",
  });
});

describe("time", () => {
  it("is the injected clock's: accepted to the last second, then expired, without grace", async () => {
    const { wallet, clock } = walletAt();
    const transaction = signedBy((await wallet.challenge({ account })).transaction, ALICE);
    const maxTimeMs = Number(decode(transaction).timeBounds?.maxTime) * 1_000;
    clock.advance(maxTimeMs - clock.now());
    await expect(wallet.verify({ transaction })).resolves.toMatchObject({ actorId: account });
    clock.advance(1);
    await expect(wallet.verify({ transaction })).rejects.toMatchObject({ code: "challenge_expired" });
  });

  it("may differ between two servers by the tolerance and no more", async () => {
    const { wallet, clock } = walletAt();
    clock.advance(1_000 - (clock.now() % 1_000));
    const transaction = signedBy((await wallet.challenge({ account })).transaction, ALICE);
    clock.advance(-CLOCK_TOLERANCE_MS);
    await expect(wallet.verify({ transaction })).resolves.toMatchObject({ actorId: account });
    clock.advance(-1);
    await expect(wallet.verify({ transaction })).rejects.toMatchObject({ code: "challenge_invalid" });
  });

  it("says that a challenge has expired only of one that it has signed", async () => {
    const { wallet, clock } = walletAt();
    const { transaction } = await wallet.challenge({ account });
    const unsigned = decode(transaction);
    unsigned.signatures.length = 0;
    clock.advance(CHALLENGE_TTL_MS * 2);
    await expect(wallet.verify({ transaction: unsigned.toXdr() })).rejects.toMatchObject({
      code: "challenge_invalid",
    });
  });
});

describe("options that cannot work", () => {
  it.each([
    ["a seed that is none", { signingSeed: SERVER.publicKey() }],
    ["an empty network passphrase", { networkPassphrase: "" }],
    ["an empty home domain", { homeDomain: "" }],
    ["a home domain of 60 bytes", { homeDomain: "a".repeat(60) }],
    ["an empty web_auth_domain", { webAuthDomain: "" }],
    ["a web_auth_domain of 65 bytes", { webAuthDomain: "a".repeat(65) }],
    ["half a second", { challengeTtlMs: 500 }],
    ["no time at all", { challengeTtlMs: 0 }],
  ])("%s", (_, options) => {
    expect(() => walletAt(options)).toThrow(TypeError);
  });

  it("are not repeated in the error", () => {
    const seed = `${SERVER.secret().slice(0, -1)}!`;
    expect(() => walletAt({ signingSeed: seed })).toThrow(/^signingSeed is not an S… seed$/);
  });

  it("a home domain and a web_auth_domain that just fit do work", async () => {
    const { wallet } = walletAt({ homeDomain: "h".repeat(59), webAuthDomain: "w".repeat(64) });
    const { transaction } = await wallet.challenge({ account });
    await expect(wallet.verify({ transaction: signedBy(transaction, ALICE) })).resolves.toMatchObject({
      actorId: account,
    });
  });
});
