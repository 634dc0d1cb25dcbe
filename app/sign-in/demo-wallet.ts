import type { Challenge } from "wallet-session/client";
import { encodeStrkey } from "wallet-session/wallets/stellar-address";
import { WalletError } from "./wallet-error.ts";

/** Where the page keeps the demo key, as a JWK in plain sight: development only, never for funds. */
const STORAGE_KEY = "streampay.demo-wallet";

const ENVELOPE_TYPE_TX = 2;
const KEY_TYPE_ED25519 = 0;
const SIGNATURE_BYTES = 64;
/** How the server's signature ends the envelope: the count of signatures (4), a hint (4), the length (4) and itself. */
const SIGNATURES_BYTES = 12 + SIGNATURE_BYTES;

export interface DemoWallet {
  readonly account: string;
  /** @throws WalletError for anything but a transaction that can never be executed */
  sign(challenge: Challenge): Promise<string>;
}

/** Opens the wallet kept in `storage`, or makes one and keeps it there. Signs with WebCrypto: no SDK is loaded for it. */
export async function openDemoWallet(storage: Pick<Storage, "getItem" | "setItem">): Promise<DemoWallet> {
  const key = (await storedKey(storage)) ?? (await makeKey(storage));
  return {
    account: encodeStrkey("G", key.publicKey),
    sign: async ({ transaction, networkPassphrase }) => {
      const envelope = Uint8Array.from(atob(transaction), (char) => char.charCodeAt(0));
      const signed = await addSignature(envelope, networkPassphrase, key);
      return btoa(String.fromCharCode(...signed));
    },
  };
}

/** Forgets the key; the next wallet opened is a new account. */
export function forgetDemoWallet(storage: Pick<Storage, "removeItem">): void {
  storage.removeItem(STORAGE_KEY);
}

interface DemoKey {
  readonly privateKey: CryptoKey;
  readonly publicKey: Uint8Array;
}

async function storedKey(storage: Pick<Storage, "getItem">): Promise<DemoKey | null> {
  try {
    const jwk: JsonWebKey = JSON.parse(storage.getItem(STORAGE_KEY) ?? "null");
    return await importKey(jwk);
  } catch {
    // Nothing stored, or not by this page: a demo key can be replaced.
    return null;
  }
}

async function makeKey(storage: Pick<Storage, "setItem">): Promise<DemoKey> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]).catch(() => {
    throw new WalletError("This browser cannot make Ed25519 keys. The demo wallet needs a newer one.");
  });
  if (!("privateKey" in pair)) throw new WalletError("This browser cannot make Ed25519 keys.");
  const { kty, crv, d, x } = await crypto.subtle.exportKey("jwk", pair.privateKey);
  const jwk = { kty, crv, d, x } as JsonWebKey;
  storage.setItem(STORAGE_KEY, JSON.stringify(jwk));
  return importKey(jwk);
}

async function importKey(jwk: JsonWebKey): Promise<DemoKey> {
  const privateKey = await crypto.subtle.importKey("jwk", jwk, "Ed25519", false, ["sign"]);
  const base64 = (jwk.x ?? "").replaceAll("-", "+").replaceAll("_", "/");
  return { privateKey, publicKey: Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)) };
}

/** Signs as Stellar does: SHA-256 of network id and envelope without its signatures, which stand at the end of it. */
async function addSignature(
  envelope: Uint8Array<ArrayBuffer>,
  networkPassphrase: string,
  { privateKey, publicKey }: DemoKey,
): Promise<Uint8Array> {
  requireChallenge(envelope);
  const start = envelope.length - SIGNATURES_BYTES;
  const networkId = await sha256(new TextEncoder().encode(networkPassphrase));
  const payload = await sha256(Uint8Array.of(...networkId, ...envelope.subarray(0, start)));
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", privateKey, payload));
  const signed = Uint8Array.of(
    ...envelope,
    ...publicKey.subarray(-4),
    0,
    0,
    0,
    SIGNATURE_BYTES,
    ...signature,
  );
  new DataView(signed.buffer).setUint32(start, 2);
  return signed;
}

/** A challenge has sequence number 0, so no network ever executes it (SEP-10). Anything else is not signed blindly. */
function requireChallenge(envelope: Uint8Array): void {
  const view = new DataView(envelope.buffer, envelope.byteOffset, envelope.byteLength);
  const start = envelope.length - SIGNATURES_BYTES;
  // Type (4), source account: key type (4) and key (32), fee (4), sequence number (8).
  const isHarmless =
    start > 52 &&
    view.getUint32(0) === ENVELOPE_TYPE_TX &&
    view.getUint32(4) === KEY_TYPE_ED25519 &&
    view.getBigInt64(44) === 0n;
  if (!isHarmless) throw new WalletError("The server asked to sign something that is no sign-in challenge.");
  const isSigned = view.getUint32(start) === 1 && view.getUint32(start + 8) === SIGNATURE_BYTES;
  if (!isSigned) throw new WalletError("The server's challenge does not carry its signature.");
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}
