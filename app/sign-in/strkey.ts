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
