import { describe, expect, test } from "vitest";
import { createTestKey, dpopProof } from "../test/proofs.ts";
import { ED25519_KEY, signedAgain, UNSAFE_KEYS } from "../test/signatures/ed25519.ts";
import { malleated } from "../test/signatures/es256.ts";
import { SIGNATURE_CASES } from "../test/signatures/paths.ts";
import { createJwkReader } from "./bindings/public-key.ts";
import { ACTOR, codeOf, ISSUER, startEngine } from "./engine/engine.fixture.ts";
import { createMemoryStore } from "./stores/memory.ts";
import { createManualClock } from "./testing/manual-clock.ts";
import { createWalletKeypair } from "./testing/wallet-keypair.ts";
import { encodeStrkey } from "./wallets/stellar/strkey.ts";
import { decodeEnvelope, encodeEnvelope, hashOf, hintOf } from "./wallets/stellar/transaction.ts";
import { createStellarWallet, masterKeyOnly } from "./wallets/stellar.ts";

test.each(SIGNATURE_CASES)("a signature $name", async ({ holds, isTaken }) => {
  expect(await isTaken()).toBe(holds);
});

test("a key under which anybody signs is none, whatever OpenSSL makes of it", () => {
  const read = createJwkReader();
  for (const key of UNSAFE_KEYS) {
    expect(read({ kty: "OKP", crv: "Ed25519", x: key.toString("base64url") }, "Ed25519")).toBeNull();
  }
  expect(
    read({ kty: "OKP", crv: "Ed25519", x: ED25519_KEY.toString("base64url") }, "Ed25519"),
  ).not.toBeNull();
});

/** The same proof in the other spellings that verify: without the key, and of the same length. */
function respelt(proof: string): string[] {
  const [header, claims, signature = ""] = proof.split(".");
  const bytes = Buffer.from(signature, "base64url");
  const last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const spare = signature.slice(0, -1) + last[last.indexOf(signature.slice(-1)) ^ 1];
  return [malleated(bytes).toString("base64url"), spare].map((other) => `${header}.${claims}.${other}`);
}

describe("one proof in another spelling is the same proof", () => {
  const urls = [`${ISSUER}/api/auth/refresh`];
  const htu = urls[0];
  const request = (proof: string) => ({ proof, method: "POST", urls });

  async function start() {
    const started = await startEngine(createMemoryStore());
    const { engine, clock } = started;
    const key = createTestKey();
    const iat = Math.floor(clock.now() / 1000);
    const signIn = (proof: string) =>
      engine.signIn(
        { actorId: ACTOR, challenge: { id: crypto.randomUUID(), expiresAt: clock.now() + 300_000 } },
        {
          transport: "body",
          client: { browser: null, os: null, device: null, ip: null },
          dpop: request(proof),
        },
      );
    return { engine, proof: (nonce?: unknown) => dpopProof(key, { htu, iat, nonce }), signIn };
  }

  test("at a sign-in", async () => {
    const { proof, signIn } = await start();
    const first = proof();
    await signIn(first);
    for (const other of respelt(first)) expect(await codeOf(signIn(other))).toBe("proof_invalid");
  });

  test("and verifies, where it is the first", async () => {
    const { proof, signIn } = await start();
    for (const at of [0, 1]) await signIn(respelt(proof())[at] ?? "");
  });

  test("at a refresh", async () => {
    const { engine, proof, signIn } = await start();
    const { refreshToken, nextChallenge } = await signIn(proof());
    const first = proof(nextChallenge);
    await engine.refresh(refreshToken, { dpop: request(first) });
    for (const other of respelt(first)) {
      expect(await codeOf(engine.refresh(refreshToken, { dpop: request(other) }))).toBe("proof_invalid");
    }
  });
});

test("one challenge signed twice, with two signatures that hold, is the same challenge", async () => {
  const account = encodeStrkey("G", ED25519_KEY);
  const wallet = createStellarWallet({
    signingSeed: createWalletKeypair().seed,
    networkPassphrase: "a network",
    homeDomain: "pay.example.com",
    webAuthEndpoint: `${ISSUER}/api/auth/wallet`,
    accountSigners: masterKeyOnly,
    clock: createManualClock(),
  });
  const challenge = await wallet.challenge({ account });
  const { transaction, signatures } = decodeEnvelope(Buffer.from(challenge.transaction, "base64"));
  const answers = [1n, 2n].map((nonce) => {
    const signature = signedAgain(hashOf(transaction, "a network"), nonce);
    return encodeEnvelope(transaction, [...signatures, { hint: hintOf(ED25519_KEY), signature }]);
  });
  const [one, other] = await Promise.all(answers.map((answer) => wallet.verify({ transaction: answer })));
  expect(answers[0]).not.toBe(answers[1]);
  expect(one?.actorId).toBe(account);
  expect(other?.challenge.id).toBe(one?.challenge.id);
});
