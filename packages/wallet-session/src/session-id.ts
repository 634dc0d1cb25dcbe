import type { RandomBytes } from "./clock.ts";

declare const kind: unique symbol;

/**
 * What names a session: 16 bytes in base64url, 22 characters. A type of its own, so that no other text, and no token,
 * is taken for one: {@link sessionIdOf} makes it of a text.
 */
export type SessionId = string & { readonly [kind]: "session id" };

/** The last character has no spare bits set: each id has one spelling. */
const SESSION_ID = /^[A-Za-z0-9_-]{21}[AQgw]$/;

/**
 * The session id that a text is, or null for a text that cannot be one. Does NOT look for the session.
 *
 * @example
 * ```ts
 * import { type SessionEngine, sessionIdOf } from "wallet-session";
 *
 * export async function statusOf(engine: SessionEngine, text: string) {
 *   const id = sessionIdOf(text);
 *   return id === null ? null : engine.getSessionStatus(id);
 * }
 * ```
 */
export function sessionIdOf(text: string): SessionId | null {
  return isSessionId(text) ? text : null;
}

function isSessionId(text: string): text is SessionId {
  return SESSION_ID.test(text);
}

/** The id that 16 bytes are. @param bytes not checked */
export function sessionIdFrom(bytes: Uint8Array): SessionId {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url") as SessionId;
}

const RANDOM_BYTES = 12;
/** How the ids end of sessions whose sign-in by cookie sets the session cookie. An older id ends so once in 2^32 times. */
const MARK = Buffer.from("jar1");

/** An id that no other session has. Not a secret. */
export function newSessionId(random: RandomBytes): SessionId {
  return sessionIdFrom(Buffer.concat([random(RANDOM_BYTES), MARK]));
}

/** Whether a jar of this session has had a session cookie from its sign-in on (docs/decisions/0035). */
export function hasSessionCookie(id: SessionId): boolean {
  return Buffer.from(id, "base64url").subarray(RANDOM_BYTES).equals(MARK);
}
