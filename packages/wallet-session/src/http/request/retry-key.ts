import { SessionError } from "../../errors.ts";
import { unquoted } from "./unquoted.ts";

const RETRY_KEY_MIN_CHARS = 16;
const RETRY_KEY_MAX_CHARS = 128;

const KEY = new RegExp(`^[\\x21-\\x7e]{${RETRY_KEY_MIN_CHARS},${RETRY_KEY_MAX_CHARS}}$`);

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
  const key = unquoted(text);
  return key !== null && KEY.test(key) ? key : null;
}
