import { type SessionId, sessionIdOf } from "../session-id.ts";

/** The 16 bytes of a session id, or null for a string that cannot be one. */
export function encodeSessionId(id: SessionId): Uint8Array | null {
  return sessionIdOf(id) === null ? null : Buffer.from(id, "base64url");
}

/** Those of them that can be one. */
export function encodeSessionIds(ids: readonly SessionId[]): Uint8Array[] {
  return ids.map(encodeSessionId).filter((id) => id !== null);
}

/** The bytes of an id that must be one. @throws RangeError for any other string */
export function encodeNewSessionId(id: SessionId): Uint8Array {
  const bytes = encodeSessionId(id);
  if (bytes === null) throw new RangeError("A session id is 16 bytes in base64url.");
  return bytes;
}
