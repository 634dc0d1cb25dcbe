import { createHash } from "node:crypto";
import { add, G, inverse, mod, N, P, type Point, pointFrom, times } from "./p256.ts";

interface SignedBy<Key> {
  readonly key: Key;
  readonly signature: Buffer;
}

/** A class of signatures, and what must become of it. `sign` may choose the key to fit the message. */
export interface SignatureClass<Key> {
  readonly name: string;
  readonly holds: boolean;
  readonly sign: (message: Uint8Array) => SignedBy<Key>;
}

type Jwk = Readonly<Record<string, string>>;
type Case = SignatureClass<Jwk>;

const bytes = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(64, "0"), "hex");
const raw = (r: bigint, s: bigint): Buffer => Buffer.concat([bytes(r), bytes(s)]);
const hash = (message: Uint8Array): bigint =>
  BigInt(`0x${createHash("sha256").update(message).digest("hex")}`);

function jwkOf([x, y]: readonly [bigint, bigint], crv = "P-256"): Jwk {
  return { kty: "EC", crv, x: bytes(x).toString("base64url"), y: bytes(y).toString("base64url") };
}

function known(point: Point): readonly [bigint, bigint] {
  if (point === null) throw new Error("the point at infinity is no key");
  return point;
}

const SECRET = 0x123456789abcdefn;
const NONCE = 0xfedcba987654321n;
const KEY = known(times(SECRET, G));

/** As FIPS 186-5 has it. */
function sign(message: Uint8Array, secret = SECRET, nonce = NONCE): [r: bigint, s: bigint] {
  const r = mod(known(times(nonce, G))[0], N);
  return [r, mod(inverse(nonce, N) * (hash(message) + r * secret), N)];
}

/** The key under which (R, s) signs the message: any r and s can be had. */
function keyFor(message: Uint8Array, R: readonly [bigint, bigint], s: bigint): readonly [bigint, bigint] {
  const sum = add(times(s, R), times(-hash(message), G));
  return known(times(inverse(R[0], N), sum));
}

const plain = (name: string, holds: boolean, change: (r: bigint, s: bigint) => Buffer): Case => ({
  name,
  holds,
  sign: (message) => ({ key: jwkOf(KEY), signature: change(...sign(message)) }),
});

const chosen = (
  name: string,
  holds: boolean,
  R: readonly [bigint, bigint],
  s: bigint,
  write: (r: bigint, s: bigint) => Buffer = raw,
): Case => ({
  name,
  holds,
  sign: (message) => ({
    key: jwkOf(keyFor(message, R, s)),
    signature: write(mod(R[0], N), s),
  }),
});

const underKey = (name: string, holds: boolean, key: Jwk, secret = SECRET): Case => ({
  name,
  holds,
  sign: (message) => ({ key, signature: raw(...sign(message, secret)) }),
});

function derInteger(value: bigint): Buffer {
  const hex = value.toString(16);
  const number = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  const padded = (number[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.of(0), number]) : number;
  return Buffer.concat([Buffer.of(2, padded.length), padded]);
}

function der(r: bigint, s: bigint): Buffer {
  const inner = Buffer.concat([derInteger(r), derInteger(s)]);
  return Buffer.concat([Buffer.of(0x30, inner.length), inner]);
}

const SMALL = pointFrom(1n);
/** Of 29 bytes, so that two such make 64 in DER. */
const MIDDLE = pointFrom(2n ** 224n);
const MINUS_G = [known(G)[0], P - known(G)[1]] as const;

/** The other signature that holds wherever this one does, made without the key. */
export function malleated(signature: Buffer): Buffer {
  return Buffer.concat([signature.subarray(0, 32), bytes(N - BigInt(`0x${signature.toString("hex", 32)}`))]);
}

/** Signatures of ES256 (RFC 7518, section 3.4). */
export const ES256_CLASSES: readonly Case[] = [
  plain("as made", true, raw),
  plain("with s negated, its other form", true, (r, s) => raw(r, N - s)),
  plain("with r negated", false, (r, s) => raw(N - r, s)),
  plain("with r and s swapped", false, (r, s) => raw(s, r)),
  plain("with r of 0", false, (_, s) => raw(0n, s)),
  plain("with s of 0", false, (r) => raw(r, 0n)),
  plain("of zeros", false, () => raw(0n, 0n)),
  plain("with r of n", false, (_, s) => raw(N, s)),
  plain("with s of n", false, (r) => raw(r, N)),
  plain("with r of p", false, (_, s) => raw(P, s)),
  plain("of ones", false, () => Buffer.alloc(64, 0xff)),
  plain("with r of 1 and s of 1", false, () => raw(1n, 1n)),
  plain("in DER", false, der),
  plain("a byte short", false, (r, s) => raw(r, s).subarray(0, 63)),
  plain("without its first byte", false, (r, s) => raw(r, s).subarray(1)),
  plain("a byte longer", false, (r, s) => Buffer.concat([raw(r, s), Buffer.of(0)])),
  plain("a zero before each half", false, (r, s) =>
    Buffer.concat([Buffer.of(0), bytes(r), Buffer.of(0), bytes(s)]),
  ),
  plain("of half", false, (r) => bytes(r)),
  plain("empty", false, () => Buffer.alloc(0)),
  chosen("with r that begins with zeros", true, SMALL, 2n ** 200n + 1n),
  chosen("with r and s that begin with zeros", true, SMALL, 1n),
  chosen("with r + n for r", false, SMALL, 2n ** 200n + 1n, (r, s) => raw(r + N, s)),
  chosen("with s + n for s", false, SMALL, 1n, (r, s) => raw(r, s + N)),
  chosen("whose point has an x above n", true, pointFrom(N), 7n),
  chosen("whose point has an x above n, with that for r", false, pointFrom(N), 7n, (r, s) => raw(r + N, s)),
  chosen("in DER of 64 bytes", false, MIDDLE, 2n ** 224n + 1n, der),
  {
    name: "that leads to the point at infinity",
    holds: false,
    sign: (message) => {
      const secret = mod(-hash(message) * inverse(5n, N), N);
      return { key: jwkOf(known(times(secret, G))), signature: raw(5n, 3n) };
    },
  },
  underKey("by the key 1", true, jwkOf(known(G)), 1n),
  underKey("by the key n - 1", true, jwkOf(MINUS_G), N - 1n),
  underKey("under the key with y negated", false, jwkOf([KEY[0], P - KEY[1]])),
  underKey("under another key", false, jwkOf(MINUS_G)),
  underKey("under a point off the curve", false, jwkOf([KEY[0], KEY[1] ^ 1n])),
  underKey("under the point at infinity", false, jwkOf([0n, 0n])),
  underKey("under a key with x + p", false, jwkOf([SMALL[0] + P, SMALL[1]])),
  underKey("under a key of another curve", false, jwkOf(KEY, "secp256k1")),
  underKey("under a key without y", false, { kty: "EC", crv: "P-256", x: jwkOf(KEY).x ?? "" }),
  underKey("under a key of another kind", false, { ...jwkOf(KEY), kty: "OKP" }),
];
