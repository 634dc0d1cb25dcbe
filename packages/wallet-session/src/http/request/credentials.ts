import type { AuthenticatedSession, SessionEngine } from "../../engine/session-engine.ts";
import { SessionError } from "../../errors.ts";
import { REFRESH_BODY_MAX_BYTES } from "../../limits.ts";
import { noteSession } from "../../request-context.ts";
import type { HttpContext } from "../context.ts";
import { type OpenJar, openJar } from "../jar.ts";
import { isGuardRefusal } from "../problem.ts";
import { authenticateBearer, authenticateHeader, headerToken } from "./authorization.ts";
import { readBody, textMember } from "./body.ts";
import { refuseTokensInQuery } from "./query.ts";

export interface Credentials {
  readonly session: AuthenticatedSession;
  /** A browser sends cookies by itself, also when another site makes it; a header only by a script's own will. */
  readonly by: "header" | "cookie";
}

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

/** What it takes to verify who sends a request. */
type GuardContext = Pick<HttpContext, "engine" | "cookies" | "paths"> & OurPages;

/**
 * Verifies who sends a request, by the token of its header or else by the access cookie. A changing request by cookie must come from a
 * page of ours; one that names the session it is meant for, in `Session-Id`, is refused as `session_revoked` where the
 * jar has another one by now.
 * @throws access_token_missing, access_token_invalid, access_token_expired, session_revoked, cross_origin; for a token that is
 *   bound to a key proof_missing, proof_invalid, proof_nonce
 */
export async function authenticateRequest(
  context: GuardContext,
  request: Request,
  options: { fresh?: boolean } = {},
): Promise<Credentials> {
  const { engine, cookies } = context;
  const given = headerToken(request);
  if (given !== null) {
    const session = await authenticateHeader(context, request, given, options);
    noteSession(session);
    return { session, by: "header" };
  }
  const { accessTokens } = cookies.read(request);
  if (accessTokens.length === 0) throw missing();
  if (!SAFE_METHODS.has(request.method)) requireOurPage(request, context);
  const session = await authenticateCookies(engine, accessTokens, options);
  requireNamedSession(request, session);
  noteSession(session);
  return { session, by: "cookie" };
}

/** The same, but null where the request has no access token that says to be this service's. */
export async function identifyRequest(
  context: GuardContext,
  request: Request,
  options: { fresh?: boolean } = {},
): Promise<AuthenticatedSession | null> {
  const given = headerToken(request);
  const presented = given === null ? context.cookies.read(request).accessTokens : [given.token];
  if (!presented.some(context.engine.isOwnAccessToken)) return null;
  return (await authenticateRequest(context, request, options)).session;
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
      const found = await authenticateBearer(engine, token, options);
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

/** The origins whose pages may send cookies: the service's own, and others of its site that the operator trusts. */
export type OurPages = Pick<HttpContext, "publicUrl" | "trustedOrigins">;

/**
 * Whether the browser says that a page of ours sent this. A browser that is too old for `Sec-Fetch-Site` sends `Origin`
 * with everything but GET and HEAD; a client that sends neither is not a browser and has no business with cookies.
 */
export function isOurPage({ headers }: Request, { publicUrl, trustedOrigins }: OurPages): boolean {
  const site = headers.get("sec-fetch-site");
  const origin = headers.get("origin") ?? "";
  if (site === "same-origin" || (site === null && origin === publicUrl.origin)) return true;
  return (site === null || site === "same-site") && trustedOrigins.includes(origin);
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

/**
 * Refuses what another site's page makes a browser open by cookie, be it a GET: it would hold what its person has a limited
 * number of. A client that says nothing of where it comes from is no such page.
 * @throws cross_origin
 */
export function requireOwnReader(request: Request, pages: OurPages): void {
  const { headers } = request;
  const saysWhence = headers.has("sec-fetch-site") || headers.has("origin");
  if (headerToken(request) === null && saysWhence) requireOurPage(request, pages);
}

/** @throws cross_origin */
export function requireOurPage(request: Request, pages: OurPages): void {
  if (!isOurPage(request, pages)) {
    throw new SessionError("cross_origin", "Requests by cookie must come from the site's own pages.");
  }
}
