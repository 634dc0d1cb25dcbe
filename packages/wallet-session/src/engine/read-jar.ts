import { SessionError } from "../errors.ts";
import { hasSessionCookie, type SessionId } from "../session-id.ts";
import { type AuthenticRefreshToken, readRefreshToken } from "../tokens/refresh-token.ts";
import type { EngineContext } from "./context.ts";
import { presentedToken } from "./refresh.ts";
import type { Jar, JarCookies, JarToken } from "./session-engine.ts";

interface AuthenticCookie extends JarToken {
  readonly read: AuthenticRefreshToken;
}

/** `SessionEngine.readJar`. */
export async function readJar(context: EngineContext, cookies: JarCookies): Promise<Jar> {
  const authentic = authenticCookies(context, cookies.refreshTokens);
  const access = await ownAccessToken(context, cookies.accessTokens);
  const counting = countingCookie(authentic, cookies.sessionId, access?.sessionId ?? null);
  return {
    refresh: counting === null ? null : presentedToken(counting.read),
    access,
    refreshTokens: [...authentic.values()].map(({ token, sessionId }) => ({ token, sessionId })),
  };
}

/** Of each session the newest token: the cookie may have been set under two paths. */
function authenticCookies(
  { keyring }: EngineContext,
  tokens: readonly string[],
): Map<SessionId, AuthenticCookie> {
  const newest = new Map<SessionId, AuthenticCookie>();
  for (const token of tokens) {
    const read = readRefreshToken(keyring, token);
    if (read === null) continue;
    const known = newest.get(read.sessionId);
    if (known !== undefined && known.read.generation >= read.generation) continue;
    newest.set(read.sessionId, { token, sessionId: read.sessionId, read });
  }
  return newest;
}

async function ownAccessToken(context: EngineContext, tokens: readonly string[]): Promise<JarToken | null> {
  let own: JarToken | null = null;
  for (const token of tokens) {
    const sessionId = await sessionOfAccessToken(context, token);
    if (sessionId === null) continue;
    if (own !== null && own.sessionId !== sessionId) return null;
    own = { token, sessionId };
  }
  return own;
}

async function sessionOfAccessToken(
  { accessTokens }: EngineContext,
  token: string,
): Promise<SessionId | null> {
  try {
    const { sid, cnf } = await accessTokens.verifyAnyAge(token);
    // One that is bound to a key is no cookie of ours, and a cookie proves no key.
    return cnf === undefined ? sid : null;
  } catch (error) {
    if (error instanceof SessionError && error.code === "access_token_invalid") return null;
    throw error;
  }
}

/**
 * A neighbour domain can plant refresh cookies, also of sessions of its own, but neither the session cookie nor the access
 * cookie: what those name is the session that this browser was signed in to.
 */
function countingCookie(
  authentic: ReadonlyMap<SessionId, AuthenticCookie>,
  named: SessionId | null,
  accessId: SessionId | null,
): AuthenticCookie | null {
  for (const id of [named, accessId]) {
    const cookie = id === null ? undefined : authentic.get(id);
    if (cookie !== undefined) return cookie;
  }
  if (accessId !== null) return null;
  // Signed in by a version without the session cookie. Of two nobody can say which was planted.
  const [older, ...others] = [...authentic.values()].filter(({ sessionId }) => !hasSessionCookie(sessionId));
  return older !== undefined && others.length === 0 ? older : null;
}
