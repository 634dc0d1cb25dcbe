import type {
  AuthenticatedSession,
  JarRefreshResult,
  PresentedRefreshToken,
  SessionEngine,
} from "../engine/session-engine.ts";
import { ERROR_MEANINGS } from "../error-codes.ts";
import { SessionError } from "../errors.ts";
import { noteSession } from "../request-context.ts";
import type { SessionId } from "../store.ts";
import type { HttpContext } from "./context.ts";
import { type CookieJar, clearedCookies, sessionCookies } from "./request/cookies.ts";
import { retryKeyFromCookie, retryKeyFromHeader } from "./request/retry-key.ts";

export interface RefreshableJar extends CookieJar {
  readonly refreshToken: string;
}

export type JarAnswer =
  | {
      readonly outcome: "refreshed";
      readonly sessionId: SessionId;
      readonly expiresInSeconds: number;
      readonly refreshExpiresInSeconds: number;
      readonly setCookies: readonly string[];
    }
  /** The session is over: its refusal, and what it does to the jar. */
  | { readonly outcome: "ended"; readonly refusal: SessionError; readonly setCookies: readonly string[] };

/**
 * Refreshes the session of a cookie jar and says what becomes of the jar, for the POST and the bounce alike. The retry key
 * is the header's or else the jar's own.
 * @throws invalid_request, rate_limited, store_unavailable - after any of which the jar stays as it is
 */
export async function refreshJar(
  { engine, limits }: HttpContext,
  request: Request,
  jar: RefreshableJar,
): Promise<JarAnswer> {
  const retryKey = retryKeyFromHeader(request) ?? retryKeyFromCookie(jar.retryKey);
  let presented: PresentedRefreshToken | null = null;
  try {
    presented = engine.readRefreshToken(jar.refreshToken);
    await limits.refresh(presented.sessionId);
    return refreshed(await engine.refreshJar(presented, { retryKey, accessToken: jar.accessToken }));
  } catch (error) {
    if (!(error instanceof SessionError) || !ERROR_MEANINGS[error.code].ends) throw error;
    const another = presented !== null && (await belongsToAnother(engine, jar, presented.sessionId, error));
    return { outcome: "ended", refusal: error, setCookies: another ? [] : clearedCookies() };
  }
}

function refreshed(result: JarRefreshResult): JarAnswer {
  const unchanged = result.outcome === "unchanged";
  const { session, expiresInSeconds, refreshExpiresInSeconds } = unchanged ? result : result.tokens;
  noteSession({ actorId: session.actorId, sessionId: session.id });
  // No cookie at all beside an unchanged jar: an answer that overtakes this one may have set newer ones.
  const setCookies = unchanged ? [] : sessionCookies(result.tokens);
  return {
    outcome: "refreshed",
    sessionId: session.id,
    expiresInSeconds,
    refreshExpiresInSeconds,
    setCookies,
  };
}

/**
 * Whether the jar has moved on to another session than the refused one, whose late refusal must not sign that one out:
 * a newer sign-in replaced it, or the access cookie is a good one of another session.
 */
async function belongsToAnother(
  engine: SessionEngine,
  jar: RefreshableJar,
  refusedId: SessionId,
  refusal: SessionError,
): Promise<boolean> {
  if (refusal.endedAs === "replaced") return true;
  const session = await signedIn(engine, jar);
  return session !== null && session.sessionId !== refusedId;
}

/** The session of the jar's access cookie, where that is a good one; else null. @throws store_unavailable */
export async function signedIn(
  engine: SessionEngine,
  { accessToken }: CookieJar,
): Promise<AuthenticatedSession | null> {
  if (accessToken === null) return null;
  try {
    return await engine.authenticate(accessToken);
  } catch (error) {
    if (error instanceof SessionError && error.code !== "store_unavailable") return null;
    throw error;
  }
}
