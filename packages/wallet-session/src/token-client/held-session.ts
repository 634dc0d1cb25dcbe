/** What a program keeps of its session, in its {@link TokenStorage}. Times are milliseconds since 1970. */
export interface HeldSession {
  readonly sessionId: string;
  readonly accessToken: string;
  readonly accessEndsAt: number;
  readonly refreshToken: string;
  /** Made before the refresh token is first sent, kept until another refresh token is held. None for a session with a key. */
  readonly retryKey: string | null;
  /** When the server gave these tokens. */
  readonly receivedAt: number;
  /** The DPoP key that the session is bound to; null, or left out by an older version, where it is bound to none. */
  readonly bound?: Bound | null;
}

interface Bound {
  readonly thumbprint: string;
  /** For the proof of the next refresh; null where the answer had none. */
  readonly nonce: string | null;
  /** `DPoP`: each request with the access token proves the key too. `Bearer`: refreshes alone. */
  readonly scheme: "DPoP" | "Bearer";
}

const TEXTS = ["sessionId", "accessToken", "refreshToken"] as const;
const TIMES = ["accessEndsAt", "receivedAt"] as const;

export function writeHeldSession(held: HeldSession): string {
  return JSON.stringify(held);
}

/** @throws where the text is none of {@link writeHeldSession}: a fault of the storage, which ends no session */
export function readHeldSession(text: string): HeldSession {
  const value: unknown = JSON.parse(text);
  if (!isHeldSession(value))
    throw new TypeError("The storage holds something else than a session of this client.");
  return value;
}

function isHeldSession(value: unknown): value is HeldSession {
  if (typeof value !== "object" || value === null) return false;
  const member = (name: string): unknown => Reflect.get(value, name);
  return (
    TEXTS.every((name) => typeof member(name) === "string") &&
    TIMES.every((name) => typeof member(name) === "number") &&
    isTextOrNull(member("retryKey")) &&
    isBound(member("bound") ?? null)
  );
}

function isBound(value: unknown): value is Bound | null {
  if (value === null) return true;
  if (typeof value !== "object" || !("thumbprint" in value && "nonce" in value && "scheme" in value))
    return false;
  const { thumbprint, nonce, scheme } = value;
  return typeof thumbprint === "string" && isTextOrNull(nonce) && (scheme === "DPoP" || scheme === "Bearer");
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === "string";
}

/**
 * The session that the answer to a sign-in or refresh brings; null where it is not of that shape. `thumbprint`: of the key that
 * the request has proved; null for none.
 */
export function heldSessionOf(
  {
    session_id: sessionId,
    access_token: accessToken,
    refresh_token: refreshToken,
    expires_in: seconds,
    token_type: scheme,
  }: Readonly<Partial<Record<string, unknown>>>,
  nonce: string | null,
  thumbprint: string | null,
  receivedAt: number,
): HeldSession | null {
  if (typeof seconds !== "number" || !(seconds >= 0)) return null;
  const accessEndsAt = receivedAt + seconds * 1_000;
  const bound = thumbprint === null ? null : { thumbprint, nonce, scheme };
  const held = { sessionId, accessToken, accessEndsAt, refreshToken, retryKey: null, receivedAt, bound };
  return isHeldSession(held) ? held : null;
}
