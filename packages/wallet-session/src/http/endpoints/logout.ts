import type { SessionId } from "../../store.ts";
import type { HttpContext } from "../context.ts";
import type { Handler } from "../handler.ts";
import { emptiedJar, type OpenJar, tokensToEnd } from "../jar.ts";
import { isGuardRefusal } from "../problem.ts";
import { authenticateHeader, type HeaderToken, headerToken } from "../request/authorization.ts";
import { isOurPage, readTokens, requireOurPage } from "../request/credentials.ts";
import { noContent } from "../response.ts";

/**
 * `POST /api/auth/logout`: ends the session of the token in the body, of the bearer token, or of the cookies. It is also 204
 * without a token, for an unknown one, and for a session that has ended (RFC 7009 §2.2), whatever else is in the jar. Where
 * the store fails, no cookie is cleared: the session still lives, and its holder must be able to try again.
 */
export function logout(context: HttpContext): Handler {
  const { engine } = context;
  return async (request) => {
    const { bodyToken, jar } = await readTokens(context, request);
    const given = headerToken(request);
    if (bodyToken !== null) {
      await engine.revokeByRefreshToken(bodyToken, "logout");
    } else if (given !== null) {
      await requireProof(context, request, given);
      await engine.revokeByAccessToken(given.token, "logout");
    } else if (holdsTokens(jar)) {
      requireOurPage(request, context);
    }
    // A page of another origin may end a session whose token it has, but it may neither end nor empty a browser's jar.
    if (!holdsTokens(jar) || !isOurPage(request, context)) return noContent();
    // Also beside another token: a session whose cookies are gone must not live on where its holder cannot see it.
    return noContent(emptiedJar(context, jar, await endJar(context, jar)));
  };
}

/**
 * Of an access token that is bound to a key: each service that takes one sees it, and could end the session otherwise. Whether the
 * token is any good is not asked here.
 * @throws proof_missing, proof_invalid, proof_nonce
 */
async function requireProof(context: HttpContext, request: Request, given: HeaderToken): Promise<void> {
  try {
    await authenticateHeader(context, request, { ...given, scheme: "dpop" });
  } catch (error) {
    if (!isGuardRefusal(error)) throw error;
  }
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
