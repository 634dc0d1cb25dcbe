import { SessionError } from "../../errors.ts";

const RETRY_KEY_MIN_CHARS = 16;
const RETRY_KEY_MAX_CHARS = 128;

const KEY = new RegExp(`^[\\x21-\\x7e]{${RETRY_KEY_MIN_CHARS},${RETRY_KEY_MAX_CHARS}}$`);
/** A Structured Fields string (RFC 8941 §3.3.3): only `"` and `\` are escaped. */
const QUOTED = /^"((?:[^"\\]|\\["\\])*)"$/;

/**
 * The key of the `Idempotency-Key` header, quoted (as its draft standard has it) or bare, which mean the same.
 * Null without the header.
 * @throws invalid_request for a key that is too short to be unguessable, or malformed
 */
export function retryKeyFromHeader(request: Request): string | null {
  const header = request.headers.get("idempotency-key");
  if (header === null) return null;
  const key = parseKey(header);
  if (key !== null) return key;
  throw new SessionError(
    "invalid_request",
    `Idempotency-Key must have ${RETRY_KEY_MIN_CHARS} to ${RETRY_KEY_MAX_CHARS} visible ASCII characters.`,
  );
}

/** The key of the retry cookie. A script may write anything into it, so a malformed one must not brick the jar: null. */
export function retryKeyFromCookie(value: string | null): string | null {
  return value === null ? null : parseKey(value);
}

function parseKey(text: string): string | null {
  if (!text.startsWith('"')) return KEY.test(text) ? text : null;
  const inner = QUOTED.exec(text)?.[1]?.replace(/\\(.)/g, "$1");
  return inner !== undefined && KEY.test(inner) ? inner : null;
}
