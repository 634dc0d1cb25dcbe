import { createPrivateKey, createPublicKey, type KeyObject, verify } from "node:crypto";
import { decodeStrkey, encodeStrkey } from "./strkey.ts";

/** DER in front of a raw key: SubjectPublicKeyInfo and PKCS #8 for Ed25519 (RFC 8410). */
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

const KEY_BYTES = 32;

/**
 * The y coordinates of the eight points of small order, little-endian; the sign of x (the top bit) is left out.
 * Under such a key anyone can forge: a signature over one message, or over a share of all messages, holds for it
 * without any private key. The same points in other clothes (y + p) fall to the check for canonical form.
 */
const SMALL_ORDER_Y: readonly Buffer[] = [
  "0100000000000000000000000000000000000000000000000000000000000000", // y = 1, order 1
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // y = -1, order 2
  "0000000000000000000000000000000000000000000000000000000000000000", // y = 0, order 4
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // order 8
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", // order 8
].map((hex) => Buffer.from(hex, "hex"));

/**
 * Whether a raw public key may be verified against at all: 32 bytes, in canonical form (y < 2^255 - 19, RFC 8032
 * section 5.1.3) and not of small order. node:crypto leaves that to its OpenSSL, and many versions check neither.
 * Does not check that the point is on the curve: no signature holds for one that is not.
 */
export function isSafePublicKey(publicKey: Uint8Array): boolean {
  if (publicKey.length !== KEY_BYTES) return false;
  const y = Buffer.from(publicKey);
  y.writeUInt8(y.readUInt8(KEY_BYTES - 1) & 0x7f, KEY_BYTES - 1);
  return isCanonicalY(y) && !SMALL_ORDER_Y.some((smallOrder) => smallOrder.equals(y));
}

/** y < p = 2^255 - 19, which is ff…ff but for 7f at the top and ed at the bottom. */
function isCanonicalY(y: Buffer): boolean {
  const allOnesAbove =
    y[KEY_BYTES - 1] === 0x7f && y.subarray(1, KEY_BYTES - 1).every((byte) => byte === 0xff);
  return !(allOnesAbove && y.readUInt8(0) >= 0xed);
}

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
