import type { HttpContext } from "../context.ts";
import type { Handler } from "../handler.ts";
import { type CookieJar, clearedCookies } from "../request/cookies.ts";
import { bearerToken, isSameOrigin, readTokens, requireSameOrigin } from "../request/credentials.ts";
import { noContent } from "../response.ts";

/**
 * `POST /api/auth/logout`: ends the session of the token in the body, of the bearer token, or of the cookies. It is also 204
 * without a token, for an unknown one, and for a session that has ended (RFC 7009 §2.2). Where the store fails, no
 * cookie is cleared: the session still lives, and its holder must be able to try again.
 */
export function logout(context: HttpContext): Handler {
  const { engine, publicUrl } = context;
  return async (request) => {
    const { bodyToken, jar } = await readTokens(request);
    const bearer = bearerToken(request);
    if (bodyToken !== null) {
      await engine.revokeByRefreshToken(bodyToken, "logout");
    } else if (bearer !== null) {
      await engine.revokeByAccessToken(bearer, "logout");
    } else if (jar.refreshToken !== null || jar.accessToken !== null) {
      requireSameOrigin(request, publicUrl);
    }
    // A page of another origin may end a session whose token it has, but it may neither end nor empty a browser's jar.
    if (Object.values(jar).every((cookie) => cookie === null) || !isSameOrigin(request, publicUrl))
      return noContent();
    // Also beside another token: a session whose cookies are gone must not live on where its holder cannot see it.
    await endJar(context, jar);
    return noContent(clearedCookies());
  };
}

/** The refresh cookie names the session for certain; where it ends nothing, the access cookie may still. */
async function endJar({ engine }: HttpContext, { refreshToken, accessToken }: CookieJar): Promise<void> {
  if (refreshToken !== null && (await engine.revokeByRefreshToken(refreshToken, "logout"))) return;
  if (accessToken !== null) await engine.revokeByAccessToken(accessToken, "logout");
}
