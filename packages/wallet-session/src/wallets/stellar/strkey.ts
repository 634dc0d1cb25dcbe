import { base32nopad } from "@scure/base";

/** The kinds of strkey that are used here, by their first letter: the version byte and the length of what it holds. */
const KINDS = {
  /** An Ed25519 public key. */
  G: { version: 6 << 3, payloadBytes: 32 },
  /** A public key, then the 8 bytes of an id: one of several users behind an account. */
  M: { version: 12 << 3, payloadBytes: 40 },
  /** An Ed25519 seed. */
  S: { version: 18 << 3, payloadBytes: 32 },
} as const;
const CHECKSUM_BYTES = 2;

export type StrkeyKind = keyof typeof KINDS;

/** Writes a key as text (SEP-23): the version byte, the payload and a CRC-16, in base32. @throws RangeError for another length */
export function encodeStrkey(kind: StrkeyKind, payload: Uint8Array): string {
  const { version, payloadBytes } = KINDS[kind];
  if (payload.length !== payloadBytes) throw new RangeError(`${kind}… holds ${payloadBytes} bytes.`);
  const bytes = new Uint8Array(1 + payloadBytes + CHECKSUM_BYTES);
  bytes[0] = version;
  bytes.set(payload, 1);
  new DataView(bytes.buffer).setUint16(1 + payloadBytes, crc16(bytes.subarray(0, -CHECKSUM_BYTES)), true);
  return base32nopad.encode(bytes);
}

/** The payload of a text of this kind in its one canonical form, else null. Does NOT check that a public key is a point. */
export function decodeStrkey(kind: StrkeyKind, text: string): Uint8Array | null {
  const { version, payloadBytes } = KINDS[kind];
  if (text.length !== Math.ceil(((1 + payloadBytes + CHECKSUM_BYTES) * 8) / 5)) return null;
  const bytes = decodeBase32(text);
  if (bytes?.[0] !== version) return null;
  const checksum = new DataView(bytes.buffer, bytes.byteOffset).getUint16(1 + payloadBytes, true);
  if (checksum !== crc16(bytes.subarray(0, -CHECKSUM_BYTES))) return null;
  return bytes.subarray(1, -CHECKSUM_BYTES);
}

/**
 * Whether a text is a `G…` or an `M…` address (SEP-23), with the checksum that belongs to it. Runs in browsers too.
 *
 * @example
 * ```ts
 * import { isAddress } from "wallet-session/wallets/stellar-address";
 *
 * isAddress("GAAZI4TCR3TY5OJHCTJC2A4QSY6CJWJH5IAJTGKIN2ER7LBNVKOCCWN7"); // true
 * ```
 */
export function isAddress(text: string): boolean {
  return decodeStrkey("G", text) !== null || decodeStrkey("M", text) !== null;
}

/** Null for other letters, and for trailing bits that no encoder writes. */
function decodeBase32(text: string): Uint8Array | null {
  try {
    return base32nopad.decode(text);
  } catch {
    return null;
  }
}

/** CRC-16/XMODEM. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return crc;
}
