// What the service writes, with keys and times that are the same in each run: corpora hold it.
import { createECDH, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { writeChallenge } from "../../src/bindings/challenge.ts";
import { writeDeviceId } from "../../src/bindings/device-id.ts";
import { sessionIdFrom } from "../../src/session-id.ts";
import { createManualClock } from "../../src/testing/manual-clock.ts";
import { createWalletKeypair } from "../../src/testing/wallet-keypair.ts";
import { createAccessTokens } from "../../src/tokens/access-token.ts";
import { writeRefreshToken, writeRegisteredToken } from "../../src/tokens/refresh-token.ts";
import { createKeyring } from "../../src/tokens/secrets.ts";
import { privateKeyFromSeed } from "../../src/wallets/stellar/ed25519.ts";
import { createStellarWallet, masterKeyOnly } from "../../src/wallets/stellar.ts";
import { Random } from "../simulation/random.ts";

export const ORIGIN = "https://pay.example.com";
export const clock = createManualClock();
export const keyring = createKeyring(["the secret of what is forged here, long enough to be one"]);
export const sessionId = sessionIdFrom(Buffer.alloc(16, 5));
const { bytes: random } = new Random("forge");

const refreshToken = { sessionId, generation: 3, secret: random(32) };
export const refreshTokens = [
  writeRefreshToken(keyring.signing, refreshToken),
  writeRefreshToken(keyring.signing, { ...refreshToken, generation: 4 }),
  writeRegisteredToken(keyring.signing, refreshToken, clock.now(), random),
];

const signingKey = privateKeyFromSeed(Buffer.alloc(32, 9));
const KID = "the-key";
export const headerOf = (kid: string): string => JSON.stringify({ alg: "EdDSA", typ: "at+jwt", kid });
export const HEADER = headerOf(KID);
export const accessTokens = createAccessTokens({
  keys: {
    signer: async () => ({ kid: KID, key: signingKey }),
    verifier: async (kid) => (kid === KID ? createPublicKey(signingKey) : null),
  },
  issuer: ORIGIN,
  audience: [ORIGIN, "https://other.example"],
  ttlMs: 900_000,
  clock,
  random,
});
/** With what our own key has signed, whatever is in it. */
export function signedByUs(header: string, claims: string): string {
  const text = [header, claims].map((part) => Buffer.from(part, "latin1").toString("base64url")).join(".");
  return `${text}.${sign(null, Buffer.from(text), signingKey).toString("base64url")}`;
}

const holder = createECDH("prime256v1");
holder.setPrivateKey(Buffer.alloc(32, 11));
const point = holder.getPublicKey();
export const proofJwk = {
  crv: "P-256",
  kty: "EC",
  x: point.subarray(1, 33).toString("base64url"),
  y: point.subarray(33).toString("base64url"),
};
const proofKey = createPrivateKey({
  key: { ...proofJwk, d: holder.getPrivateKey().toString("base64url") },
  format: "jwk",
});
/** A proof by the one key that there is here. */
export function proofOf(header: string, claims: string): string {
  const text = [header, claims].map((part) => Buffer.from(part, "latin1").toString("base64url")).join(".");
  const signature = sign("sha256", Buffer.from(text), { key: proofKey, dsaEncoding: "ieee-p1363" });
  return `${text}.${signature.toString("base64url")}`;
}

const at = { generation: 3, presented: 3 };
const challenge = (use: "registration" | "rotation" | "request") =>
  writeChallenge(
    keyring.signing,
    { use, sessionId: use === "request" ? null : sessionId },
    at,
    clock.now(),
    random,
  );
export const challenges = {
  registration: challenge("registration"),
  rotation: challenge("rotation"),
  request: challenge("request"),
};

const compressed = Buffer.from(holder.getPublicKey("base64", "compressed"), "base64");
export const deviceId = writeDeviceId(keyring.signing, { sessionId, generation: 3, key: compressed });

export const wallet = createStellarWallet({
  signingSeed: createWalletKeypair(Buffer.alloc(32, 7)).seed,
  networkPassphrase: "Test SDF Network ; September 2015",
  homeDomain: "pay.example.com",
  webAuthEndpoint: `${ORIGIN}/api/auth/wallet`,
  accountSigners: masterKeyOnly,
  clientDomainKey: async () => createWalletKeypair(Buffer.alloc(32, 15)).account,
  clock,
  random,
});
export const alice = createWalletKeypair(Buffer.alloc(32, 13));
export const signedChallenges = await Promise.all(
  [{}, { memo: "7" }, { action: "A".repeat(43) }].map(async (extra) =>
    alice.sign(await wallet.challenge({ account: alice.account, ...extra })),
  ),
);
