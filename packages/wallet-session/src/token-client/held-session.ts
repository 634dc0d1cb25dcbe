/** What a program keeps of its session, in its {@link TokenStorage}. Times are milliseconds since 1970. */
export interface HeldSession {
  readonly sessionId: string;
  readonly accessToken: string;
  readonly accessEndsAt: number;
  readonly refreshToken: string;
  /** Made before the refresh token is first sent, kept until another refresh token is held. */
  readonly retryKey: string | null;
  /** When the server gave these tokens. */
  readonly receivedAt: number;
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
    (member("retryKey") === null || typeof member("retryKey") === "string")
  );
}

/** The session that the body of a sign-in or refresh brings; null where it is not of that shape. */
export function heldSessionOf(
  {
    session_id: sessionId,
    access_token: accessToken,
    refresh_token: refreshToken,
    expires_in: seconds,
  }: Readonly<Partial<Record<string, unknown>>>,
  receivedAt: number,
): HeldSession | null {
  if (typeof seconds !== "number" || !(seconds >= 0)) return null;
  const accessEndsAt = receivedAt + seconds * 1_000;
  const held = { sessionId, accessToken, accessEndsAt, refreshToken, retryKey: null, receivedAt };
  return isHeldSession(held) ? held : null;
}
