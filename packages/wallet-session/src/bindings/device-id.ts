import { timingSafeEqual } from "node:crypto";
import { type SessionId, sessionIdFrom } from "../session-id.ts";
import type { Keyring, SecretKeys } from "../tokens/secrets.ts";
import { COMPRESSED_BYTES } from "./public-key.ts";

/** What a browser has registered for a session: its key, and how far the session had come by then. */
export interface DeviceRegistration {
  readonly sessionId: SessionId;
  readonly generation: number;
  /** Of 33 bytes. */
  readonly key: Uint8Array;
}

/*
 * base64url( key id 4 | session id 16 | generation 4 | key 33 | mac 16 ), big-endian: 73 bytes in 98 characters. The browser
 * hands it back with each proof, so that a registration needs no place in the store: one whose answer was lost leaves nothing.
 */
const SESSION_ID_AT = 4;
const GENERATION_AT = 20;
const KEY_AT = 24;
const MAC_AT = KEY_AT + COMPRESSED_BYTES;
const MAC_BYTES = 16;
const TEXT = /^[A-Za-z0-9_-]{98}$/;

/** The `session_identifier` of DBSC. Not a secret: it opens nothing without the key. */
export function writeDeviceId(keys: SecretKeys, { sessionId, generation, key }: DeviceRegistration): string {
  const bytes = Buffer.alloc(MAC_AT + MAC_BYTES);
  bytes.writeUInt32BE(keys.keyId, 0);
  bytes.write(sessionId, SESSION_ID_AT, "base64url");
  bytes.writeUInt32BE(generation, GENERATION_AT);
  bytes.set(key, KEY_AT);
  bytes.set(macOf(keys, bytes), MAC_AT);
  return bytes.toString("base64url");
}

/** Null for what we have not written. */
export function readDeviceId(keyring: Keyring, text: string): DeviceRegistration | null {
  if (!TEXT.test(text)) return null;
  const bytes = Buffer.from(text, "base64url");
  const keys = keyring.find(bytes.readUInt32BE(0));
  if (keys === undefined || bytes.toString("base64url") !== text) return null;
  if (!timingSafeEqual(macOf(keys, bytes), bytes.subarray(MAC_AT))) return null;
  return {
    sessionId: sessionIdFrom(bytes.subarray(SESSION_ID_AT, GENERATION_AT)),
    generation: bytes.readUInt32BE(GENERATION_AT),
    key: bytes.subarray(KEY_AT, MAC_AT),
  };
}

function macOf(keys: SecretKeys, bytes: Buffer): Buffer {
  return keys.device.mac(bytes.subarray(0, MAC_AT)).subarray(0, MAC_BYTES);
}
