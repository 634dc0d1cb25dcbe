import { createSecretKey, hkdfSync, type KeyObject } from "node:crypto";
import { HmacKey } from "./hmac.ts";

/** The keys that one secret of `AUTH_SECRET` yields, one for each use (HKDF-SHA-256, RFC 5869). Never in a store. */
export interface SecretKeys {
  /** Names the secret inside a token without telling anything of it: 4 bytes, as an unsigned integer. */
  readonly keyId: number;
  /** Authenticates refresh tokens, so that garbage is refused without a look into the store. */
  readonly mac: HmacKey;
  /** Derives the secret of the next generation. */
  readonly derive: HmacKey;
  /** Hashes retry keys. */
  readonly retry: HmacKey;
  /** Authenticates the challenges that proofs are signed over. */
  readonly proof: HmacKey;
  /** Authenticates what a browser's device key was registered for. */
  readonly device: HmacKey;
  /** Seals the refresh token of a browser that has registered a device key (AES-256-GCM). */
  readonly registered: KeyObject;
  /** Seals the signing keys of access tokens (AES-256-GCM). */
  readonly seal: KeyObject;
}

/** All listed secrets: the first one signs, all of them verify. */
export interface Keyring {
  readonly signing: SecretKeys;
  readonly all: readonly SecretKeys[];
  find(keyId: number): SecretKeys | undefined;
}

const SECRET_MIN_BYTES = 32;

/**
 * Derives the keys of each secret, in the order given.
 * @throws RangeError when there is no secret, one is shorter than 32 bytes, or two are the same
 */
export function createKeyring(secrets: readonly string[]): Keyring {
  const all = secrets.map(deriveKeys);
  const [signing] = all;
  if (signing === undefined) throw new RangeError("at least one secret is needed");
  const byKeyId = new Map(all.map((keys) => [keys.keyId, keys]));
  if (byKeyId.size !== all.length) throw new RangeError("the same secret is listed twice");
  return { signing, all, find: (keyId) => byKeyId.get(keyId) };
}

function deriveKeys(secret: string): SecretKeys {
  const material = Buffer.from(secret, "utf8");
  if (material.length < SECRET_MIN_BYTES) {
    throw new RangeError(`a secret needs at least ${SECRET_MIN_BYTES} bytes`);
  }
  const derive = (use: string, bytes: number) =>
    Buffer.from(hkdfSync("sha256", material, "", `wallet-session/v1/${use}`, bytes));
  const key = (use: string) => new HmacKey(derive(use, 32));
  return {
    keyId: derive("key-id", 4).readUInt32BE(),
    mac: key("refresh-token-mac"),
    derive: key("refresh-token-successor"),
    retry: key("retry-key"),
    proof: key("proof-challenge"),
    device: key("device-registration"),
    registered: createSecretKey(derive("registered-token-seal", 32)),
    seal: createSecretKey(derive("signing-key-seal", 32)),
  };
}
