import { createPublicKey } from "node:crypto";
import { readProofJwt } from "../../src/bindings/proof-jwt.ts";
import { createJwkReader, isSignedBy } from "../../src/bindings/public-key.ts";
import { SessionError } from "../../src/errors.ts";
import { createManualClock } from "../../src/testing/manual-clock.ts";
import { createAccessTokens } from "../../src/tokens/access-token.ts";
import { verifySignature } from "../../src/wallets/stellar/ed25519.ts";
import { ED25519_CLASSES, ED25519_KEY } from "./ed25519.ts";
import { ES256_CLASSES } from "./es256.ts";

/** A signature of a class, on one of the ways on which signatures are verified here. */
export interface SignatureCase {
  readonly name: string;
  readonly holds: boolean;
  isTaken(): boolean | Promise<boolean>;
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const ISSUER = "https://pay.example.com";
const clock = createManualClock();
const seconds = Math.floor(clock.now() / 1000);

/** Of a wallet, over the hash of a challenge. */
const byWallet = ED25519_CLASSES.map(({ name, holds, sign }): SignatureCase => {
  const message = Buffer.alloc(32, 3);
  const isTaken = () => {
    const { key, signature } = sign(message);
    return verifySignature(message, signature, key);
  };
  return { name: `wallet: ${name}`, holds, isTaken };
});

const okp = (key: Buffer) => ({ kty: "OKP", crv: "Ed25519", x: key.toString("base64url") });

/** Of a key that proves possession, with the text that the proof has in its JWT. */
function proofCase(
  algorithm: "ES256" | "Ed25519",
  name: string,
  holds: boolean,
  sign: (message: Uint8Array) => { readonly key: Buffer | object; readonly signature: Buffer },
): SignatureCase {
  const text = `${encode({ alg: algorithm, typ: "dbsc+jwt" })}.${encode({ jti: "one" })}`;
  const isTaken = () => {
    const { key, signature } = sign(Buffer.from(text));
    const read = createJwkReader()(key instanceof Buffer ? okp(key) : key, algorithm);
    if (read === null) return false;
    // A signature of another length has no JWT, and must not hold without one either.
    const jwt = readProofJwt(`${text}.${signature.toString("base64url")}`, "dbsc+jwt");
    return jwt === null ? isSignedBy(read.key, text, signature) : jwt.isSignedBy(read.key);
  };
  return { name: `proof, ${algorithm}: ${name}`, holds, isTaken };
}

const byProof = [
  ...ES256_CLASSES.map(({ name, holds, sign }) => proofCase("ES256", name, holds, sign)),
  ...ED25519_CLASSES.map(({ name, holds, sign }) => proofCase("Ed25519", name, holds, sign)),
];

const key = createPublicKey({ key: okp(ED25519_KEY), format: "jwk" });
const accessTokens = createAccessTokens({
  keys: { signer: () => Promise.reject(new Error("nothing is signed here")), verifier: async () => key },
  issuer: ISSUER,
  audience: ISSUER,
  ttlMs: 900_000,
  clock,
  random: (size) => new Uint8Array(size),
});

/** Of our own key, in an access token. Hostile keys are none of ours. */
const byAccessToken = ED25519_CLASSES.filter(({ sign }) =>
  sign(Buffer.from("any")).key.equals(ED25519_KEY),
).map(({ name, holds, sign }, at): SignatureCase => {
  const claims = {
    iss: ISSUER,
    aud: ISSUER,
    sub: "G",
    sid: "A".repeat(22),
    jti: `${at}`,
    iat: seconds,
    exp: seconds + 900,
  };
  const text = `${encode({ alg: "EdDSA", typ: "at+jwt", kid: "the-key" })}.${encode(claims)}`;
  const isTaken = async () => {
    const { signature } = sign(Buffer.from(text));
    try {
      return (await accessTokens.verify(`${text}.${signature.toString("base64url")}`)).sub === "G";
    } catch (error) {
      if (error instanceof SessionError && error.code === "access_token_invalid") return false;
      throw error;
    }
  };
  return { name: `access token: ${name}`, holds, isTaken };
});

export const SIGNATURE_CASES: readonly SignatureCase[] = [...byWallet, ...byProof, ...byAccessToken];
