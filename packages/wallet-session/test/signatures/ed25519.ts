import { createHash } from "node:crypto";
import { Point } from "@noble/ed25519";
import type { SignatureClass } from "./es256.ts";

type Case = SignatureClass<Buffer>;

const P = 2n ** 255n - 19n;
const L = Point.CURVE().n;
const SECRET = 0x123456789abcdefn;
const NONCE = 0xfedcba987654321n;
const KEY = Point.BASE.multiply(SECRET);
/** A point of order 8. */
const TORSION = Point.fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05");

function littleEndian(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, "0"), "hex").reverse();
}

const number = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
const encoded = (point: Point): Buffer => Buffer.from(point.toBytes());
const raw = (R: Uint8Array, S: bigint): Buffer => Buffer.concat([R, littleEndian(S)]);
const times = (scalar: bigint, point: Point): Point => point.multiply(scalar, false);

/** The eight points whose order divides 8. */
const SMALL_ORDER = Array.from({ length: 8 }, (_, at) => times(BigInt(at), TORSION));

/** `h` of RFC 8032, 5.1.7, reduced as implementations do. `domain`: of the variants that are none of ours. */
function challengeOf(R: Uint8Array, key: Uint8Array, message: Uint8Array, domain = ""): bigint {
  const hash = createHash("sha512").update(domain, "latin1").update(R).update(key).update(message);
  return number(hash.digest()) % L;
}

function scalarFor(R: Uint8Array, nonce: bigint, key: Uint8Array, message: Uint8Array, domain = ""): bigint {
  return (nonce + challengeOf(R, key, message, domain) * SECRET) % L;
}

function signed(message: Uint8Array): [R: Buffer, S: bigint] {
  const R = encoded(times(NONCE, Point.BASE));
  return [R, scalarFor(R, NONCE, encoded(KEY), message)];
}

const plain = (name: string, holds: boolean, change: (R: Buffer, S: bigint) => Buffer): Case => ({
  name,
  holds,
  sign: (message) => ({ key: encoded(KEY), signature: change(...signed(message)) }),
});

/** By the holder of the key, with any R. */
const withR = (name: string, holds: boolean, R: Buffer, nonce: bigint): Case => ({
  name,
  holds,
  sign: (message) => ({ key: encoded(KEY), signature: raw(R, scalarFor(R, nonce, encoded(KEY), message)) }),
});

/** A key that is nobody's: S = 0, and an R that makes the equation true. */
const forged = (name: string, key: Buffer): Case => ({
  name,
  holds: false,
  sign: (message) => {
    const point = Point.fromBytes(key, true);
    const fits = (R: Point) => {
      const h = challengeOf(encoded(R), key, message) % 8n;
      return times(h, point).add(R).is0();
    };
    return { key, signature: raw(encoded(SMALL_ORDER.find(fits) ?? Point.ZERO), 0n) };
  },
});

/** A key that is nearly one's own. `divides`: whether the challenge makes nothing of the difference. */
const mixed = (name: string, divides: boolean): Case => ({
  name,
  holds: divides,
  sign: (message) => {
    const key = encoded(KEY.add(TORSION));
    for (let nonce = NONCE; ; nonce += 1n) {
      const R = encoded(times(nonce, Point.BASE));
      if ((challengeOf(R, key, message) % 8n === 0n) !== divides) continue;
      return { key, signature: raw(R, scalarFor(R, nonce, key, message)) };
    }
  },
});

const under = (name: string, key: Buffer): Case => ({
  name,
  holds: false,
  sign: (message) => ({ key, signature: raw(...signed(message)) }),
});

const negativeZero = littleEndian(1n);
negativeZero.writeUInt8(0x80, 31);
const offCurve = littleEndian(2n);

/** Signatures of Ed25519 (RFC 8032), by the equation without a cofactor. */
export const ED25519_CLASSES: readonly Case[] = [
  plain("as made", true, raw),
  ...[1n, 2n, 8n, 15n].map((k) => plain(`with S + ${k} L`, false, (R, S) => raw(R, S + k * L))),
  plain("with S negated", false, (R, S) => raw(R, L - S)),
  plain("with R negated", false, (R, S) => raw(encoded(Point.fromBytes(R).negate()), S)),
  plain("with R and S swapped", false, (R, S) => Buffer.concat([littleEndian(S), R])),
  plain("of zeros", false, () => Buffer.alloc(64)),
  plain("of ones", false, () => Buffer.alloc(64, 0xff)),
  plain("with S of 0", false, (R) => raw(R, 0n)),
  plain("with S of L", false, (R) => raw(R, L)),
  plain("a byte short", false, (R, S) => raw(R, S).subarray(0, 63)),
  plain("a byte longer", false, (R, S) => Buffer.concat([raw(R, S), Buffer.of(0)])),
  plain("of half", false, (R) => R),
  plain("empty", false, () => Buffer.alloc(0)),
  plain("with R off the curve", false, (_, S) => raw(offCurve, S)),
  // Not of order 1: versions of OpenSSL differ there, and the key's holder alone can make one.
  ...SMALL_ORDER.slice(1).map((R, at) => withR(`with an R of small order, ${at + 1}`, false, encoded(R), 0n)),
  withR("with an R that is not canonical", false, littleEndian(P + 1n), 0n),
  withR("with an R of -0", false, negativeZero, 0n),
  withR("with an R of mixed order", false, encoded(times(NONCE, Point.BASE).add(TORSION)), NONCE),
  ...SMALL_ORDER.map((key, at) => forged(`under a key of small order, ${at}`, encoded(key))),
  forged("under a key of small order that is not canonical", littleEndian(P + 1n)),
  forged("under the key of -0", negativeZero),
  mixed("under a key of mixed order", false),
  mixed("under a key of mixed order, which only its holder makes", true),
  under("under another key", encoded(times(2n, KEY))),
  under("under the key negated", encoded(KEY.negate())),
  under("under a key off the curve", offCurve),
  under("under a key that is not canonical", littleEndian(P + 3n)),
  under("under a key of 31 bytes", encoded(KEY).subarray(0, 31)),
  {
    name: "of Ed25519ctx",
    holds: false,
    sign: (message) => {
      const R = encoded(times(NONCE, Point.BASE));
      const domain = "SigEd25519 no Ed25519 collisions\x00\x01x";
      return {
        key: encoded(KEY),
        signature: raw(R, scalarFor(R, NONCE, encoded(KEY), message, domain)),
      };
    },
  },
];

/** Keys under which anybody signs, where the verifier does not look. */
export const UNSAFE_KEYS: readonly Buffer[] = [
  ...SMALL_ORDER.map(encoded),
  littleEndian(P + 1n),
  negativeZero,
];

export const ED25519_KEY: Buffer = encoded(KEY);

/** Another signature of the same message by the same key: who signs may choose the nonce. */
export function signedAgain(message: Uint8Array, nonce: bigint): Buffer {
  const R = encoded(times(nonce, Point.BASE));
  return raw(R, scalarFor(R, nonce, encoded(KEY), message));
}
