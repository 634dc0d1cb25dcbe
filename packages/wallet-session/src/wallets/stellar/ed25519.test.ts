import { createHash, sign } from "node:crypto";
import { Point } from "@noble/ed25519";
import { Keypair, StrKey } from "@stellar/stellar-sdk/base";
import { describe, expect, it } from "vitest";
import { isSafePublicKey } from "../../ed25519-key.ts";
import { privateKeyFromSeed, publicKeyOf, verifySignature } from "./ed25519.ts";

const P = 2n ** 255n - 19n;
const MESSAGE = createHash("sha256").update("a transaction").digest();
const SEED = Buffer.alloc(32, 7);

function littleEndian(y: bigint, sign: boolean): Buffer {
  const bytes = Buffer.from(y.toString(16).padStart(64, "0"), "hex").reverse();
  bytes.writeUInt8(bytes.readUInt8(31) | (sign ? 0x80 : 0), 31);
  return bytes;
}

/** [8]P = 0 means that the order of P divides 8. */
function isOfSmallOrder(encoding: Uint8Array): boolean {
  return Point.fromBytes(encoding, true).clearCofactor().is0();
}

/** The eight points of order 1, 2, 4 and 8, found from a point that generates them all. */
function torsionPoints(): Point[] {
  const order = Point.CURVE().n;
  for (let y = 2n; ; y += 1n) {
    let point: Point;
    try {
      point = Point.fromBytes(littleEndian(y, false));
    } catch {
      continue;
    }
    // [L]P without the reduction that multiply() makes of its scalar.
    const torsion = point.multiply(order - 1n, false).add(point);
    const multiples = [Point.ZERO];
    for (let i = 1; i < 8; i += 1) multiples.push((multiples[i - 1] ?? Point.ZERO).add(torsion));
    if (!torsion.double().double().is0()) return multiples;
  }
}

describe("isSafePublicKey", () => {
  it("refuses all eight points of small order", () => {
    const encodings = torsionPoints().map((point) => Buffer.from(point.toBytes()));
    expect(new Set(encodings.map((encoding) => encoding.toString("hex"))).size).toBe(8);
    for (const encoding of encodings) {
      expect(isOfSmallOrder(encoding)).toBe(true);
      expect(isSafePublicKey(encoding)).toBe(false);
    }
  });

  it("refuses every non-canonical encoding, among them those of the points of small order", () => {
    for (let excess = 0n; excess < 19n; excess += 1n) {
      expect(isSafePublicKey(littleEndian(P + excess, false))).toBe(false);
      expect(isSafePublicKey(littleEndian(P + excess, true))).toBe(false);
    }
    // x = 0 has no negative: the sign bit makes a second encoding of the same point.
    expect(isSafePublicKey(littleEndian(1n, true))).toBe(false);
    expect(isSafePublicKey(littleEndian(P - 1n, true))).toBe(false);
  });

  it("refuses nothing else that is near the edges", () => {
    for (const y of [2n, 3n, P - 2n, P - 3n, P - 2n ** 8n, 2n ** 254n]) {
      expect(isSafePublicKey(littleEndian(y, false))).toBe(true);
      expect(isSafePublicKey(littleEndian(y, true))).toBe(true);
    }
    for (let i = 0; i < 32; i += 1) expect(isSafePublicKey(Keypair.random().rawPublicKey())).toBe(true);
  });

  it.each([0, 31, 33])("refuses a key of %i bytes", (size) => {
    expect(isSafePublicKey(Buffer.alloc(size, 9))).toBe(false);
  });
});

describe("verifySignature", () => {
  const privateKey = privateKeyFromSeed(SEED);
  const publicKey = publicKeyOf(privateKey);
  const signature = Buffer.from(sign(null, MESSAGE, privateKey));

  it("signs and verifies as the SDK does", () => {
    const keypair = Keypair.fromRawEd25519Seed(SEED);
    expect(Buffer.from(publicKey)).toEqual(Buffer.from(keypair.rawPublicKey()));
    expect(signature).toEqual(Buffer.from(keypair.sign(MESSAGE)));
    expect(verifySignature(MESSAGE, signature, publicKey)).toBe(true);
    expect(keypair.verify(MESSAGE, signature)).toBe(true);
  });

  it("refuses a signature with any byte changed, another message and another key", () => {
    for (let i = 0; i < signature.length; i += 1) {
      const changed = Buffer.from(signature);
      changed.writeUInt8(changed.readUInt8(i) ^ 1, i);
      expect(verifySignature(MESSAGE, changed, publicKey)).toBe(false);
    }
    expect(verifySignature(Buffer.from("another"), signature, publicKey)).toBe(false);
    expect(verifySignature(MESSAGE, signature, Keypair.random().rawPublicKey())).toBe(false);
  });

  it("refuses a signature whose scalar is not reduced, the second form of a valid one", () => {
    const scalar = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString("hex")}`);
    const unreduced = littleEndian(scalar + Point.CURVE().n, false);
    expect(verifySignature(MESSAGE, Buffer.concat([signature.subarray(0, 32), unreduced]), publicKey)).toBe(
      false,
    );
  });

  it.each([0, 63, 65])("refuses a signature of %i bytes", (size) => {
    expect(verifySignature(MESSAGE, Buffer.alloc(size), publicKey)).toBe(false);
  });

  it("refuses the forgery that holds for every message under the identity point", () => {
    // R = identity and S = 0 solve S·B = R + h·A whatever h is, when A is the identity.
    const identity = littleEndian(1n, false);
    const forged = Buffer.concat([identity, Buffer.alloc(32)]);
    expect(holdsByEquation(MESSAGE, forged, identity)).toBe(true);
    expect(verifySignature(MESSAGE, forged, identity)).toBe(false);
  });

  it("refuses the forgeries under GAAA…WHF, Stellar's all-zero key", () => {
    const zeroKey = Buffer.alloc(32);
    expect(StrKey.encodeEd25519PublicKey(zeroKey)).toMatch(/^GA{52}WHF$/);
    // A has order 4: R = -h·A is one of four points, so that trying all of them forges any message.
    const forgeries = torsionPoints().map((R) => Buffer.concat([R.toBytes(), Buffer.alloc(32)]));
    expect(forgeries.some((forged) => holdsByEquation(MESSAGE, forged, zeroKey))).toBe(true);
    expect(forgeries.some((forged) => verifySignature(MESSAGE, forged, zeroKey))).toBe(false);
  });
});

/** R = S·B - h·A and nothing more: shows that a forgery is one, and that it takes a further check to refuse it. */
function holdsByEquation(message: Uint8Array, signature: Buffer, publicKey: Uint8Array): boolean {
  const R = signature.subarray(0, 32);
  const digest = createHash("sha512").update(R).update(publicKey).update(message).digest();
  const h = BigInt(`0x${digest.reverse().toString("hex")}`) % Point.CURVE().n;
  const S = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString("hex")}`);
  const hA = Point.fromBytes(publicKey, true).multiply(h, false);
  return Buffer.from(Point.BASE.multiply(S, false).subtract(hA).toBytes()).equals(R);
}
