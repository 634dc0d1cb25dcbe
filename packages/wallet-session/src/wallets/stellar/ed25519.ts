import { createPrivateKey, createPublicKey, type KeyObject, verify } from "node:crypto";
import { isSafePublicKey } from "../../ed25519-key.ts";
import { decodeStrkey, encodeStrkey } from "./strkey.ts";

/** DER in front of a raw key: SubjectPublicKeyInfo and PKCS #8 for Ed25519 (RFC 8410). */
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

/** Verifies an Ed25519 signature (RFC 8032). False for keys that are not safe and for any malformed input. */
export function verifySignature(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  if (!isSafePublicKey(publicKey)) return false;
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: "der", type: "spki" });
  return verify(null, message, key, signature);
}

/** The private key that a raw 32-byte seed stands for. */
export function privateKeyFromSeed(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: "der", type: "pkcs8" });
}

export function publicKeyOf(privateKey: KeyObject): Uint8Array {
  return createPublicKey(privateKey).export({ format: "der", type: "spki" }).subarray(SPKI_PREFIX.length);
}

const SEED_BYTES = 32;

/** A key that signs, and the account that it is the master key of. */
export interface Keypair {
  /** G…. */
  readonly account: string;
  readonly privateKey: KeyObject;
}

/** Whether a text is an `S…` seed. */
export function isSeed(text: string): boolean {
  return decodeStrkey("S", text) !== null;
}

/** @throws TypeError for a text that is no `S…` seed; the message does not repeat it */
export function keypairFromSeed(seed: string): Keypair {
  const bytes = decodeStrkey("S", seed);
  if (bytes === null) throw new TypeError("signingSeed is not an S… seed");
  const privateKey = privateKeyFromSeed(bytes);
  return { account: encodeStrkey("G", publicKeyOf(privateKey)), privateKey };
}

/** A new `S…` seed. */
export function randomSeed(random: (bytes: number) => Uint8Array): string {
  return encodeStrkey("S", random(SEED_BYTES));
}
