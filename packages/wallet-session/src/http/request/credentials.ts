import type { AuthenticatedSession, SessionEngine } from "../../engine/session-engine.ts";
import { SessionError } from "../../errors.ts";
import { REFRESH_BODY_MAX_BYTES } from "../../limits.ts";
import { noteSession } from "../../request-context.ts";
import type { HttpContext } from "../context.ts";
import { type OpenJar, openJar } from "../jar.ts";
import { isGuardRefusal } from "../problem.ts";
import { readBody, textMember } from "./body.ts";
import { refuseTokensInQuery } from "./query.ts";

export interface Credentials {
  readonly session: AuthenticatedSession;
  /** A browser sends cookies by itself, also when another site makes it; a header only by a script's own will. */
  readonly by: "header" | "cookie";
}

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Verifies who sends a request, by the bearer token or else by the access cookie. A changing request by cookie must come from a
 * page of ours; one that names the session it is meant for, in `Session-Id`, is refused as `session_revoked` where the
 * jar has another one by now.
 * @throws access_token_missing, access_token_invalid, access_token_expired, session_revoked, cross_origin
 */
export async function authenticateRequest(
  { engine, publicUrl, cookies }: Pick<HttpContext, "engine" | "publicUrl" | "cookies">,
  request: Request,
  options: { fresh?: boolean } = {},
): Promise<Credentials> {
  const bearer = bearerToken(request);
  if (bearer !== null) {
    const session = await engine.authenticate(bearer, options);
    noteSession(session);
    return { session, by: "header" };
  }
  const { accessTokens } = cookies.read(request);
  if (accessTokens.length === 0) throw missing();
  if (!SAFE_METHODS.has(request.method)) requireSameOrigin(request, publicUrl);
  const session = await authenticateCookies(engine, accessTokens, options);
  requireNamedSession(request, session);
  noteSession(session);
  return { session, by: "cookie" };
}

/**
 * The session of the access cookies of one request. Browsers let nobody plant one, so there is one token, or one of ours beside
 * those of other programs.
 * @throws invalid_request where two of them are good, of different sessions; else as {@link SessionEngine.authenticate}
 */
async function authenticateCookies(
  engine: SessionEngine,
  accessTokens: readonly string[],
  options: { fresh?: boolean } = {},
): Promise<AuthenticatedSession> {
  let session: AuthenticatedSession | null = null;
  let refusal = missing();
  for (const token of accessTokens) {
    try {
      const found = await engine.authenticate(token, options);
      if (session !== null && session.sessionId !== found.sessionId) {
        throw new SessionError("invalid_request", "The access cookie comes twice, of two sessions.");
      }
      session = found;
    } catch (error) {
      if (!isGuardRefusal(error)) throw error;
      // A token of ours, which has ended, says more than one that is nobody's.
      if (refusal.code === "access_token_missing" || error.code !== "access_token_invalid") refusal = error;
    }
  }
  if (session === null) throw refusal;
  return session;
}

/** The session of a jar's access cookie, where that is a good one; else null. @throws store_unavailable */
export async function signedIn(engine: SessionEngine, jar: OpenJar): Promise<AuthenticatedSession | null> {
  try {
    return await authenticateCookies(engine, jar.cookies.accessTokens);
  } catch (error) {
    if (error instanceof SessionError && error.code !== "store_unavailable") return null;
    throw error;
  }
}

function missing(): SessionError {
  return new SessionError("access_token_missing", "This needs an access token.");
}

/** A tab that has not heard of a new sign-in yet must not act for the account that has taken its place. */
function requireNamedSession(request: Request, { sessionId }: AuthenticatedSession): void {
  const named = request.headers.get("session-id");
  if (named !== null && named !== sessionId) {
    throw new SessionError("session_revoked", "Another session has taken the place of this one.");
  }
}

/** The token of `Authorization: Bearer` (RFC 6750 §2.1), in whatever form it has; null without one. */
export function bearerToken(request: Request): string | null {
  return /^bearer +(.*)$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? null;
}

/**
 * Whether the browser says that a page of ours sent this. A browser that is too old for `Sec-Fetch-Site` sends `Origin`
 * with everything but GET and HEAD; a client that sends neither is not a browser and has no business with cookies.
 */
export function isSameOrigin(request: Request, publicUrl: URL): boolean {
  const site = request.headers.get("sec-fetch-site");
  if (site !== null) return site === "same-origin";
  return request.headers.get("origin") === publicUrl.origin;
}

/**
 * What a refresh or a sign-out may bring: a refresh token in the body, and the jar.
 * @throws invalid_request where the jar's counts as well, or is the same, and as {@link readBody}
 */
export async function readTokens(
  context: Pick<HttpContext, "engine" | "cookies">,
  request: Request,
): Promise<{ bodyToken: string | null; jar: OpenJar }> {
  refuseTokensInQuery(request);
  const bodyToken = textMember(await readBody(request, REFRESH_BODY_MAX_BYTES), "refresh_token");
  const jar = await openJar(context, request);
  const isInBoth = jar.refresh !== null || jar.refreshTokens.some(({ token }) => token === bodyToken);
  if (bodyToken === null || !isInBoth) return { bodyToken, jar };
  throw new SessionError("invalid_request", "The refresh token comes in the body and in a cookie at once.");
}

/** @throws cross_origin */
export function requireSameOrigin(request: Request, publicUrl: URL): void {
  if (!isSameOrigin(request, publicUrl)) {
    throw new SessionError("cross_origin", "Requests by cookie must come from the site's own pages.");
  }
}
