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
