import type { SessionId } from "../../store.ts";
import type { HttpContext } from "../context.ts";
import type { Handler } from "../handler.ts";
import { emptiedJar, type OpenJar, tokensToEnd } from "../jar.ts";
import { bearerToken, isSameOrigin, readTokens, requireSameOrigin } from "../request/credentials.ts";
import { noContent } from "../response.ts";

/**
 * `POST /api/auth/logout`: ends the session of the token in the body, of the bearer token, or of the cookies. It is also 204
 * without a token, for an unknown one, and for a session that has ended (RFC 7009 §2.2), whatever else is in the jar. Where
 * the store fails, no cookie is cleared: the session still lives, and its holder must be able to try again.
 */
export function logout(context: HttpContext): Handler {
  const { engine, publicUrl } = context;
  return async (request) => {
    const { bodyToken, jar } = await readTokens(context, request);
    const bearer = bearerToken(request);
    if (bodyToken !== null) {
      await engine.revokeByRefreshToken(bodyToken, "logout");
    } else if (bearer !== null) {
      await engine.revokeByAccessToken(bearer, "logout");
    } else if (holdsTokens(jar)) {
      requireSameOrigin(request, publicUrl);
    }
    // A page of another origin may end a session whose token it has, but it may neither end nor empty a browser's jar.
    if (!holdsTokens(jar) || !isSameOrigin(request, publicUrl)) return noContent();
    // Also beside another token: a session whose cookies are gone must not live on where its holder cannot see it.
    return noContent(emptiedJar(context, jar, await endJar(context, jar)));
  };
}

function holdsTokens({ access, refreshTokens }: OpenJar): boolean {
  return access !== null || refreshTokens.length > 0;
}

/** Ends what the jar's tokens open, and says of which sessions they are. */
async function endJar({ engine }: HttpContext, jar: OpenJar): Promise<SessionId[]> {
  const ended = [];
  for (const { token, sessionId } of tokensToEnd(jar)) {
    await engine.revokeByRefreshToken(token, "logout");
    ended.push(sessionId);
  }
  if (jar.access === null) return ended;
  if (!ended.includes(jar.access.sessionId)) await engine.revokeByAccessToken(jar.access.token, "logout");
  return [...ended, jar.access.sessionId];
}
