import { createCipheriv, createDecipheriv, timingSafeEqual } from "node:crypto";
import type { RandomBytes } from "../clock.ts";
import { type SessionId, sessionIdFrom } from "../session-id.ts";
import { sha256 } from "./hmac.ts";
import type { Keyring, SecretKeys } from "./secrets.ts";

/*
 * wsr1_ base64url( key id 4 | session id 16 | generation 4 | secret 32 | mac 16 ), big-endian: 72 bytes make 96
 * characters with no spare bits, so one token has exactly one spelling.
 */
const PREFIX = "wsr1_";
const BODY = /^[A-Za-z0-9_-]{96}$/;
const TOKEN_CHARS = PREFIX.length + 96;

const SESSION_ID_AT = 4;
const GENERATION_AT = 20;
const SECRET_AT = 24;
const MAC_AT = 56;
const MAC_BYTES = 16;
const TOKEN_BYTES = MAC_AT + MAC_BYTES;

const SESSION_ID_BYTES = 16;
export const SECRET_BYTES = 32;
export const SALT_BYTES = 16;
/** The one number above 0 that no token may name. */
const GENERATION_END = 0xffff_ffff;

/** A refresh token that one of our secrets has authenticated. Says nothing about whether its session lives. */
export interface AuthenticRefreshToken {
  readonly sessionId: SessionId;
  readonly generation: number;
  readonly secret: Uint8Array;
  /** When the browser that holds it was told that its device key is registered; absent where the token does not say. */
  readonly registeredAt?: number;
}

/**
 * Reads a refresh token: exact grammar, a listed key id, MAC in constant time. Null for everything else.
 * Does NOT look into a store: a token that was rotated away or revoked reads as well as a current one.
 */
export function readRefreshToken(keyring: Keyring, token: string): AuthenticRefreshToken | null {
  if (token.startsWith(REGISTERED_PREFIX)) return readRegisteredToken(keyring, token);
  if (token.length !== TOKEN_CHARS || !token.startsWith(PREFIX)) return null;
  const body = token.slice(PREFIX.length);
  if (!BODY.test(body)) return null;
  const bytes = Buffer.from(body, "base64url");
  const keys = keyring.find(bytes.readUInt32BE(0));
  if (keys === undefined) return null;
  if (!timingSafeEqual(macOf(keys, bytes.subarray(0, MAC_AT)), bytes.subarray(MAC_AT))) return null;
  const generation = bytes.readUInt32BE(GENERATION_AT);
  if (generation === 0 || generation === GENERATION_END) return null;
  return {
    sessionId: sessionIdFrom(bytes.subarray(SESSION_ID_AT, GENERATION_AT)),
    generation,
    secret: bytes.subarray(SECRET_AT, MAC_AT),
  };
}

/** Writes the token of one generation. The same input gives the same 101 characters. */
export function writeRefreshToken(keys: SecretKeys, token: AuthenticRefreshToken): string {
  const bytes = Buffer.allocUnsafe(TOKEN_BYTES);
  bytes.writeUInt32BE(keys.keyId, 0);
  bytes.write(token.sessionId, SESSION_ID_AT, "base64url");
  bytes.writeUInt32BE(token.generation, GENERATION_AT);
  bytes.set(token.secret, SECRET_AT);
  bytes.set(macOf(keys, bytes.subarray(0, MAC_AT)), MAC_AT);
  return PREFIX + bytes.toString("base64url");
}

/*
 * wsd1_ base64url( key id 4 | iv 12 | sealed( seconds since 1970 4 | token 72 ) | tag 16 ): 108 bytes in 144 characters. Nobody who
 * holds it can take the token out, and so not what it says of the registration.
 */
const REGISTERED_PREFIX = "wsd1_";
const REGISTERED_BODY = /^[A-Za-z0-9_-]{144}$/;
const CIPHER = "aes-256-gcm";
const IV_AT = 4;
const SEALED_AT = 16;
const TAG_AT = SEALED_AT + 4 + TOKEN_BYTES;

/** The same token for a browser whose device key was registered just now. */
export function writeRegisteredToken(
  keys: SecretKeys,
  token: AuthenticRefreshToken,
  now: number,
  random: RandomBytes,
): string {
  const head = Buffer.alloc(SEALED_AT);
  head.writeUInt32BE(keys.keyId, 0);
  head.set(random(SEALED_AT - IV_AT), IV_AT);
  const at = Buffer.alloc(4);
  at.writeUInt32BE(Math.floor(now / 1_000));
  const cipher = createCipheriv(CIPHER, keys.registered, head.subarray(IV_AT));
  const plain = Buffer.from(writeRefreshToken(keys, token).slice(PREFIX.length), "base64url");
  const sealed = [cipher.update(at), cipher.update(plain), cipher.final()];
  return REGISTERED_PREFIX + Buffer.concat([head, ...sealed, cipher.getAuthTag()]).toString("base64url");
}

function readRegisteredToken(keyring: Keyring, token: string): AuthenticRefreshToken | null {
  const body = token.slice(REGISTERED_PREFIX.length);
  if (!REGISTERED_BODY.test(body)) return null;
  const bytes = Buffer.from(body, "base64url");
  const keys = keyring.find(bytes.readUInt32BE(0));
  if (keys === undefined) return null;
  const decipher = createDecipheriv(CIPHER, keys.registered, bytes.subarray(IV_AT, SEALED_AT));
  decipher.setAuthTag(bytes.subarray(TAG_AT));
  try {
    const plain = Buffer.concat([decipher.update(bytes.subarray(SEALED_AT, TAG_AT)), decipher.final()]);
    const read = readRefreshToken(keyring, PREFIX + plain.subarray(4).toString("base64url"));
    return read && { ...read, registeredAt: plain.readUInt32BE(0) * 1_000 };
  } catch {
    return null;
  }
}

/**
 * The token one generation on: its secret is HMAC(K_derive, id | n+1 | s_n | salt). Deterministic, so that a retry can be
 * answered with the very same successor, which is stored nowhere.
 */
export function successorOf(
  keys: SecretKeys,
  token: AuthenticRefreshToken,
  salt: Uint8Array,
): AuthenticRefreshToken {
  const generation = token.generation + 1;
  const input = Buffer.allocUnsafe(SESSION_ID_BYTES + 4 + SECRET_BYTES + SALT_BYTES);
  input.write(token.sessionId, 0, "base64url");
  input.writeUInt32BE(generation, SESSION_ID_BYTES);
  input.set(token.secret, SESSION_ID_BYTES + 4);
  input.set(salt, SESSION_ID_BYTES + 4 + SECRET_BYTES);
  return { sessionId: token.sessionId, generation, secret: keys.derive.mac(input) };
}

/** What the store keeps of a generation's secret. The secret is 256 random bits, so a plain hash hides it. */
export function hashSecret(secret: Uint8Array): Buffer {
  return sha256(secret);
}

/** What the store keeps of a retry key: bound to the token that it was presented with. */
export function hashRetryKey(keys: SecretKeys, token: AuthenticRefreshToken, retryKey: string): Buffer {
  return keys.retry.mac(token.secret, retryKey);
}

function macOf(keys: SecretKeys, bytes: Uint8Array): Buffer {
  return keys.mac.mac(bytes).subarray(0, MAC_BYTES);
}
