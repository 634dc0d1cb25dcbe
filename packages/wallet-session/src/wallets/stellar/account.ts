import { isSafePublicKey } from "../../ed25519-key.ts";
import { decodeStrkey, encodeStrkey } from "./strkey.ts";

const KEY_BYTES = 32;
const MEMO_ID_MAX = 2n ** 64n - 1n;

/** M… rather than G…: it names its user in itself, and so never comes with a memo. */
export function isMuxed(address: string): boolean {
  return address.startsWith("M");
}

/** Whether a text is a G… public key whose signatures mean anything. */
export function isSigningKey(key: string): boolean {
  const publicKey = decodeStrkey("G", key);
  return publicKey !== null && isSafePublicKey(publicKey);
}

/** The G… account behind an address that is one already, or M…. */
export function accountIdOf(address: string): string {
  const muxed = decodeStrkey("M", address);
  return muxed === null ? address : encodeStrkey("G", muxed.subarray(0, KEY_BYTES));
}

/** A memo of type `id` in its one decimal form: 0 to 2^64 - 1, no sign, no leading zero. */
export function isMemoId(memo: string): boolean {
  return /^(?:0|[1-9][0-9]{0,19})$/.test(memo) && BigInt(memo) <= MEMO_ID_MAX;
}

/** Who signed in, as SEP-10 writes the JWT's `sub`: `G…`, `M…`, or `G…:memo`. */
export function actorIdOf(address: string, memo: string | null): string {
  return memo === null ? address : `${address}:${memo}`;
}

const DOMAIN_MAX_CHARS = 64;
const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
/** The last label starts with a letter: else `127.1` and `0x7f.0x1` would be names, which resolvers read as addresses. */
const DOMAIN = new RegExp(`^(?:${LABEL}\\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$`, "i");

/**
 * Whether a text is a fully qualified host name (RFC 1123) and nothing else: no port, path, credentials, trailing dot
 * or IP address. At most 64 characters, since it must fit a data entry's value.
 */
export function isDomainName(text: string): boolean {
  return text.length <= DOMAIN_MAX_CHARS && DOMAIN.test(text);
}
