import { type Keypair, StrKey, xdr } from "@stellar/stellar-sdk/base";
import { describe, expect, it } from "vitest";
import { SessionError } from "../../errors.ts";
import { createManualClock } from "../../testing/manual-clock.ts";
import type { AccountSigners, AccountState } from "./answer.ts";
import { craft } from "./crafted-challenge.fixture.ts";
import { notChallenges } from "./not-challenges.fixture.ts";
import {
  ALICE,
  CLIENT_APP,
  CLIENT_DOMAIN,
  decode,
  keyOf,
  SERVER,
  signedBy,
  signersOf,
  walletAt,
} from "./wallet.fixture.ts";

const NOW = createManualClock().now();
const BOB = keyOf("bob");
const CAROL = keyOf("carol");
const MALLORY = keyOf("mallory");
const account = ALICE.publicKey();

/** For answers that must be refused before the network is asked. */
const neverAsked: AccountSigners = {
  load: () => {
    throw new Error("the network was asked");
  },
};

function multisig(
  mediumThreshold: number,
  ...signers: [key: Keypair | string, weight: number][]
): AccountState {
  return {
    exists: true,
    mediumThreshold,
    signers: signers.map(([key, weight]) => ({
      key: typeof key === "string" ? key : key.publicKey(),
      weight,
    })),
  };
}

async function challengeOf(clientDomain?: string): Promise<string> {
  return (await walletAt().wallet.challenge({ account, client_domain: clientDomain })).transaction;
}

describe("an answer that is no challenge of ours", () => {
  it("is made from one that would do", async () => {
    const { wallet } = walletAt();
    await expect(wallet.verify({ transaction: craft(NOW) })).resolves.toMatchObject({ actorId: account });
  });

  const cases = notChallenges(NOW).flatMap(([reason, list]) =>
    list.map(([name, transaction]) => ({ reason, name, transaction })),
  );
  it.each(cases)("$name: $reason", async ({ reason, transaction }) => {
    const { wallet } = walletAt({ accountSigners: neverAsked });
    await expect(wallet.verify({ transaction })).rejects.toMatchObject({
      code: "challenge_invalid",
      message: expect.stringContaining(reason),
    });
  });

  it("is another server's, whichever of its settings differs", async () => {
    const answer = { transaction: signedBy(await challengeOf(), ALICE) };
    for (const options of [
      { signingSeed: MALLORY.secret() },
      { homeDomain: "other.example.com" },
      { webAuthDomain: "other.example.com" },
      { networkPassphrase: "Standalone Network ; February 2017" },
      { challengeTtlMs: 299_000 },
    ]) {
      await expect(walletAt(options).wallet.verify(answer)).rejects.toMatchObject({
        code: "challenge_invalid",
      });
    }
  });

  it("is named without a word of what came", async () => {
    const secretive = craft(NOW, { signers: [MALLORY] });
    const error: unknown = await walletAt()
      .wallet.verify({ transaction: secretive })
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(SessionError);
    expect(String(error)).not.toContain(secretive.slice(0, 20));
  });
});

describe("the envelope", () => {
  const spellings: [string, (good: string) => string][] = [
    ["with a line break behind", (good) => `${good}\n`],
    ["with white space around", (good) => ` \t${good}\r\n `],
    ["in lines of 76", (good) => good.replace(/.{76}/g, "$&\r\n")],
    ["in the URL-safe alphabet", (good) => good.replaceAll("+", "-").replaceAll("/", "_")],
    ["without padding", (good) => good.replaceAll("=", "")],
    [
      "in base64url, in lines",
      (good) => Buffer.from(good, "base64").toString("base64url").replace(/.{64}/g, "$&\n"),
    ],
  ];
  it.each(spellings)("%s is read, and is the same challenge", async (_, spelled) => {
    // Of both lengths, with and without padding.
    for (const transaction of [
      signedBy(await challengeOf(), ALICE),
      signedBy(await challengeOf(CLIENT_DOMAIN), CLIENT_APP, ALICE),
    ]) {
      const { wallet } = walletAt();
      const as = await wallet.verify({ transaction });
      expect(await wallet.verify({ transaction: spelled(transaction) })).toEqual(as);
    }
  });
});

describe("signatures", () => {
  const refusedUnasked: [string, (plain: string, withClient: string) => string][] = [
    ["the client's missing", (plain) => plain],
    ["the client domain's alone", (_, withClient) => signedBy(withClient, CLIENT_APP)],
    ["the client domain's missing", (_, withClient) => signedBy(withClient, ALICE)],
    ["no signature but the server's on a client domain's challenge", (_, withClient) => withClient],
  ];
  it.each(refusedUnasked)("%s, refused without asking the network", async (_, answer) => {
    const transaction = answer(await challengeOf(), await challengeOf(CLIENT_DOMAIN));
    const { wallet } = walletAt({ accountSigners: neverAsked });
    await expect(wallet.verify({ transaction })).rejects.toMatchObject({ code: "signature_invalid" });
  });

  const refused: [string, (plain: string, withClient: string) => string][] = [
    ["someone else's", (plain) => signedBy(plain, MALLORY)],
    ["the client's and someone else's", (plain) => signedBy(plain, ALICE, MALLORY)],
    ["the client's twice", (plain) => signedBy(plain, ALICE, ALICE)],
    ["the server's twice", (plain) => signedBy(plain, SERVER, ALICE)],
    ["the server's twice and nobody else's", (plain) => signedBy(plain, SERVER)],
    ["the client domain's twice", (_, withClient) => signedBy(withClient, CLIENT_APP, CLIENT_APP)],
    ["the client domain's on a challenge without one", (plain) => signedBy(plain, ALICE, CLIENT_APP)],
    ["the client's on another challenge", (plain, other) => transplanted(signedBy(other, ALICE), plain)],
    ["the client's under a wrong hint", (plain) => rehinted(signedBy(plain, ALICE))],
    ["one of a byte less", (plain) => resigned(plain, ALICE, (bytes) => bytes.subarray(0, 63))],
    ["an empty one", (plain) => resigned(plain, ALICE, () => Buffer.alloc(0))],
    ["zeros", (plain) => resigned(plain, ALICE, () => Buffer.alloc(64))],
    ["nineteen more", (plain) => signedBy(plain, ...Array.from({ length: 19 }, () => ALICE))],
  ];
  it.each(refused)("%s, refused", async (_, answer) => {
    const transaction = answer(await challengeOf(), await challengeOf(CLIENT_DOMAIN));
    await expect(walletAt().wallet.verify({ transaction })).rejects.toMatchObject({
      code: "signature_invalid",
    });
  });

  it("forged under a small-order key, refused even where the account lists it as a signer", async () => {
    const zeroKey = Buffer.alloc(32);
    const { wallet } = walletAt({
      accountSigners: signersOf(multisig(1, [StrKey.encodeEd25519PublicKey(zeroKey), 255], [ALICE, 1])),
    });
    const challenge = await challengeOf();
    // R = -h·A for each of the multiples of A, a point of order 4: one of them solves the equation.
    for (const R of [
      `01${"00".repeat(31)}`,
      "00".repeat(32),
      `ec${"ff".repeat(30)}7f`,
      `${"00".repeat(31)}80`,
    ]) {
      const transaction = decode(challenge);
      const signature = Buffer.from(R + "00".repeat(32), "hex");
      transaction.addDecoratedSignature(new xdr.DecoratedSignature({ hint: Buffer.alloc(4), signature }));
      await expect(wallet.verify({ transaction: transaction.toXdr() })).rejects.toMatchObject({
        code: "signature_invalid",
      });
    }
  });
});

describe("an account's signers and threshold", () => {
  const cases: [string, AccountState, Keypair[], "accepted" | "refused"][] = [
    ["unknown to the network, master key", { exists: false }, [ALICE], "accepted"],
    ["unknown to the network, another key", { exists: false }, [BOB], "refused"],
    ["one signer that reaches the threshold", multisig(2, [ALICE, 2]), [ALICE], "accepted"],
    ["one signer short of the threshold", multisig(2, [ALICE, 1], [BOB, 1]), [ALICE], "refused"],
    ["two signers that reach it together", multisig(2, [ALICE, 1], [BOB, 1]), [ALICE, BOB], "accepted"],
    [
      "signers without the master key",
      multisig(2, [ALICE, 1], [BOB, 1], [CAROL, 1]),
      [CAROL, BOB],
      "accepted",
    ],
    ["one key's signature counted twice", multisig(2, [ALICE, 1], [BOB, 1]), [ALICE, ALICE], "refused"],
    ["enough signers and a stranger", multisig(1, [ALICE, 1]), [ALICE, MALLORY], "refused"],
    ["threshold 0, a signer of weight", multisig(0, [ALICE, 1]), [ALICE], "accepted"],
    ["threshold 0, a master key of weight 0", multisig(0, [ALICE, 0], [BOB, 1]), [ALICE], "refused"],
    ["a weightless key beside enough others", multisig(1, [ALICE, 0], [BOB, 1]), [BOB, ALICE], "refused"],
    ["a locked account", multisig(0, [ALICE, 0]), [ALICE], "refused"],
    ["no signers at all", multisig(0), [ALICE], "refused"],
    ["threshold 255", multisig(255, [ALICE, 255]), [ALICE], "accepted"],
    ["the server as the only signer", multisig(1, [SERVER, 255]), [ALICE], "refused"],
    ["the server as a signer, signing twice", multisig(1, [SERVER, 255]), [SERVER], "refused"],
    [
      "the server's weight, which counts for nothing",
      multisig(2, [SERVER, 1], [ALICE, 1]),
      [ALICE],
      "refused",
    ],
    [
      "the server as a signer beside enough others",
      multisig(1, [SERVER, 1], [ALICE, 1]),
      [ALICE],
      "accepted",
    ],
    [
      "signers of other kinds",
      multisig(
        1,
        [StrKey.encodeSha256Hash(Buffer.alloc(32, 1)), 1],
        [StrKey.encodePreAuthTx(Buffer.alloc(32, 1)), 1],
        ["not a key", 1],
        [ALICE, 1],
      ),
      [ALICE],
      "accepted",
    ],
    [
      "only signers of other kinds",
      multisig(1, [StrKey.encodeSha256Hash(Buffer.alloc(32, 1)), 1]),
      [ALICE],
      "refused",
    ],
  ];
  it.each(cases)("%s", async (_, state, keys, outcome) => {
    const { wallet } = walletAt({ accountSigners: signersOf(state) });
    const verified = wallet.verify({ transaction: signedBy(await challengeOf(), ...keys) });
    if (outcome === "accepted") await expect(verified).resolves.toMatchObject({ actorId: account });
    else await expect(verified).rejects.toMatchObject({ code: "signature_invalid" });
  });

  it("lets as many sign as an envelope has room for beside the server", async () => {
    const keys = Array.from({ length: 19 }, (_, i) => keyOf(`signer ${i}`));
    const state = multisig(19, ...keys.map((key): [Keypair, number] => [key, 1]));
    const { wallet } = walletAt({ accountSigners: signersOf(state) });
    const transaction = await challengeOf();
    await expect(wallet.verify({ transaction: signedBy(transaction, ...keys) })).resolves.toMatchObject({
      actorId: account,
    });
    await expect(
      wallet.verify({ transaction: signedBy(transaction, ...keys.slice(1)) }),
    ).rejects.toMatchObject({ code: "signature_invalid" });
  });

  it("does not let a client domain's key count as a signer too", async () => {
    const accountSigners = signersOf(multisig(1, [CLIENT_APP, 1], [ALICE, 1]));
    const { wallet } = walletAt({ accountSigners });
    const transaction = await challengeOf(CLIENT_DOMAIN);
    for (const keys of [[CLIENT_APP], [CLIENT_APP, CLIENT_APP]]) {
      await expect(wallet.verify({ transaction: signedBy(transaction, ...keys) })).rejects.toMatchObject({
        code: "signature_invalid",
      });
    }
    await expect(
      wallet.verify({ transaction: signedBy(transaction, CLIENT_APP, ALICE) }),
    ).resolves.toMatchObject({ actorId: account });
  });

  it("asks for the account behind a muxed one", async () => {
    const asked: string[] = [];
    const { wallet } = walletAt({
      accountSigners: {
        load: async (accountId) => {
          asked.push(accountId);
          return { exists: false };
        },
      },
    });
    const muxed = StrKey.encodeMed25519PublicKey(Buffer.concat([ALICE.rawPublicKey(), Buffer.alloc(8, 5)]));
    const { transaction } = await wallet.challenge({ account: muxed });
    await expect(wallet.verify({ transaction: signedBy(transaction, ALICE) })).resolves.toMatchObject({
      actorId: muxed,
    });
    expect(asked).toEqual([account]);
  });

  it("passes on that the network could not be asked", async () => {
    const fault = new SessionError("horizon_unavailable", "down", { retryAfterSeconds: 5 });
    const { wallet } = walletAt({ accountSigners: { load: () => Promise.reject(fault) } });
    const transaction = signedBy(await challengeOf(), ALICE);
    await expect(wallet.verify({ transaction })).rejects.toBe(fault);
  });
});

/** The last signature of one envelope put onto another. */
function transplanted(from: string, to: string): string {
  const transaction = decode(to);
  const last = decode(from).signatures.at(-1);
  if (last !== undefined) transaction.addDecoratedSignature(last);
  return transaction.toXdr();
}

function rehinted(envelope: string): string {
  const transaction = decode(envelope);
  const last = transaction.signatures.pop();
  if (last === undefined) throw new Error("no signature");
  transaction.addDecoratedSignature(
    new xdr.DecoratedSignature({ hint: MALLORY.signatureHint(), signature: last.signature }),
  );
  return transaction.toXdr();
}

/** Signed by a key whose signature is changed on the way. */
function resigned(envelope: string, key: Keypair, change: (signature: Uint8Array) => Uint8Array): string {
  const transaction = decode(envelope);
  const signature = change(key.sign(transaction.hash()));
  transaction.addDecoratedSignature(new xdr.DecoratedSignature({ hint: key.signatureHint(), signature }));
  return transaction.toXdr();
}
