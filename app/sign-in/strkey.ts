const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/** Makes the first letter a G: an Ed25519 account (SEP-23). */
const ACCOUNT_VERSION = 6 << 3;

/** The `G…` address of a 32-byte Ed25519 public key (SEP-23). */
export function accountAddress(publicKey: Uint8Array): string {
  const bytes = new Uint8Array(35);
  bytes[0] = ACCOUNT_VERSION;
  bytes.set(publicKey, 1);
  new DataView(bytes.buffer).setUint16(33, crc16(bytes.subarray(0, 33)), true);
  return base32(bytes);
}

/** Letters, bytes and first byte of what names an account: `G…`, and `M…` for one of several behind it. */
const ADDRESSES = [
  { letters: 56, bytes: 35, version: ACCOUNT_VERSION },
  { letters: 69, bytes: 43, version: 12 << 3 },
] as const;

/** Whether a text is a `G…` or `M…` address with the checksum that belongs to it (SEP-23). */
export function isAddress(text: string): boolean {
  const kind = ADDRESSES.find(({ letters }) => letters === text.length);
  const bytes = kind && fromBase32(text, kind.bytes);
  if (kind === undefined || bytes === undefined || bytes === null) return false;
  const checksum = new DataView(bytes.buffer).getUint16(kind.bytes - 2, true);
  return bytes[0] === kind.version && checksum === crc16(bytes.subarray(0, -2));
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

/** RFC 4648 §6; 35 bytes are 56 letters, so there is no padding. */
function base32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(held >> bits) & 31];
      held &= (1 << bits) - 1;
    }
  }
  return text;
}

/** Null for other letters, and for an end that no encoder would write. */
function fromBase32(text: string, length: number): Uint8Array<ArrayBuffer> | null {
  const bytes = new Uint8Array(length);
  let held = 0;
  let bits = 0;
  let at = 0;
  for (const letter of text) {
    const value = ALPHABET.indexOf(letter);
    if (value === -1) return null;
    held = ((held << 5) | value) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at] = (held >> bits) & 0xff;
    at += 1;
  }
  return (held & ((1 << bits) - 1)) === 0 ? bytes : null;
}
