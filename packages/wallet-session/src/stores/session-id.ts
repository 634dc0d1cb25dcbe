import type { SessionId } from "../store.ts";

/** 16 bytes in base64url, the last character with no spare bits set: only the canonical form names a session. */
const SESSION_ID = /^[A-Za-z0-9_-]{21}[AQgw]$/;

/** The 16 bytes of a session id, or null for a string that cannot be one. */
export function encodeSessionId(id: SessionId): Uint8Array | null {
  return SESSION_ID.test(id) ? Buffer.from(id, "base64url") : null;
}

/** The bytes of an id that must be one. @throws RangeError for any other string */
export function encodeNewSessionId(id: SessionId): Uint8Array {
  const bytes = encodeSessionId(id);
  if (bytes === null) throw new RangeError("A session id is 16 bytes in base64url.");
  return bytes;
}

/** @param bytes 16 bytes; not checked */
export function decodeSessionId(bytes: Uint8Array): SessionId {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}
