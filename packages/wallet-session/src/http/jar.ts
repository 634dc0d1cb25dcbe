import type { Jar, JarRefreshResult, JarToken } from "../engine/session-engine.ts";
import type { ErrorCode } from "../error-codes.ts";
import { SessionError } from "../errors.ts";
import { UNTIED_TOKENS_ENDED } from "../limits.ts";
import { noteSession } from "../request-context.ts";
import type { SessionId } from "../store.ts";
import type { HttpContext } from "./context.ts";
import { registrationOffer } from "./device-binding.ts";
import type { RequestCookies } from "./request/cookies.ts";
import { retryKeyFromCookie, retryKeyFromHeader } from "./request/retry-key.ts";

/** The cookies of a request, and what of them is of this service. */
export interface OpenJar extends Jar {
  readonly cookies: RequestCookies;
}

export type JarAnswer =
  | {
      readonly outcome: "refreshed";
      readonly sessionId: SessionId;
      readonly expiresInSeconds: number;
      readonly refreshExpiresInSeconds: number;
      readonly setCookies: readonly string[];
      /** Of a device key, by {@link registrationOffer}. */
      readonly offer: string | null;
    }
  /** For good, but for `proof_missing`, which ends nothing. `setCookies`: what it does to a jar that has not changed since. */
  | { readonly outcome: "refused"; readonly refusal: SessionError; readonly setCookies: readonly string[] };

export interface JarRefreshing {
  /** The browser could not prove the key of a bound session just now, or may yet: nobody is told of a thief. */
  readonly mayStillProve: boolean;
}

/** The refusals after which a jar has no use for its session's cookies. */
const EMPTIES_JAR: ReadonlySet<ErrorCode> = new Set([
  "refresh_token_invalid",
  "refresh_token_expired",
  "refresh_token_revoked",
  "refresh_token_reused",
]);

/** @throws store_unavailable */
export async function openJar(
  { engine, cookies }: Pick<HttpContext, "engine" | "cookies">,
  request: Request,
): Promise<OpenJar> {
  const read = cookies.read(request);
  return { ...(await engine.readJar(read)), cookies: read };
}

/**
 * Refreshes the session of a cookie jar and says what becomes of the jar, for the POST and the bounce alike. The retry key
 * is the header's or else the jar's own.
 * @throws invalid_request, rate_limited, store_unavailable - after any of which the jar stays as it is
 */
export async function refreshJar(
  context: HttpContext,
  request: Request,
  jar: OpenJar,
  { mayStillProve }: JarRefreshing,
): Promise<JarAnswer> {
  const { engine, limits } = context;
  const retryKey = retryKeyFromHeader(request) ?? retryKeyFromCookie(jar.cookies.retryKey);
  const { sessionId } = jar.refresh ?? jar.refreshTokens[0] ?? { sessionId: null };
  if (sessionId !== null) await limits.refresh(sessionId);
  if (jar.refresh === null) {
    // Nothing is cleared: another service may have set these cookies, or a neighbour domain, whose cookies we cannot clear.
    return { outcome: "refused", refusal: await engine.refuseJar(jar, { retryKey }), setCookies: [] };
  }
  try {
    const accessToken = jar.access?.token ?? null;
    const options = { retryKey, accessToken, couldNotProve: mayStillProve };
    return refreshed(context, await engine.refreshJar(jar.refresh, options));
  } catch (error) {
    const isRefusal =
      error instanceof SessionError && (EMPTIES_JAR.has(error.code) || error.code === "proof_missing");
    if (!isRefusal) throw error;
    return { outcome: "refused", refusal: error, setCookies: cookiesAfter(context, jar, error) };
  }
}

/** Set-Cookie lines after the refusal of a jar's token: nothing is left of a session that is over. */
export function cookiesAfter(context: HttpContext, jar: OpenJar, { code, endedAs }: SessionError): string[] {
  // A late refusal must not sign out the newer sign-in that has taken the jar over.
  if (!EMPTIES_JAR.has(code) || endedAs === "replaced" || jar.refresh === null) return [];
  return emptiedJar(context, jar, [jar.refresh.sessionId]);
}

function refreshed(context: HttpContext, result: JarRefreshResult): JarAnswer {
  const unchanged = result.outcome === "unchanged";
  const { session, expiresInSeconds, refreshExpiresInSeconds } = unchanged ? result : result.tokens;
  noteSession({ actorId: session.actorId, sessionId: session.id });
  // No cookie at all beside an unchanged jar: an answer that overtakes this one may have set newer ones.
  const setCookies = unchanged ? [] : context.cookies.issued(result.tokens);
  return {
    offer: result.outcome === "rotated" ? registrationOffer(context, session) : null,
    outcome: "refreshed",
    sessionId: session.id,
    expiresInSeconds,
    refreshExpiresInSeconds,
    setCookies,
  };
}

/**
 * Set-Cookie lines after the end of these sessions. What another service has set stays, and so does what is of another
 * session. A cookie that the request did not bring is removed as well.
 */
export function emptiedJar(
  { cookies }: Pick<HttpContext, "cookies">,
  { access, refreshTokens, cookies: sent }: OpenJar,
  ended: readonly SessionId[],
): string[] {
  const isOver = (id: SessionId) => ended.includes(id);
  const noRefresh =
    sent.refreshTokens.length === 0 || refreshTokens.some(({ sessionId }) => isOver(sessionId));
  const noAccess = sent.accessTokens.length === 0 || (access !== null && isOver(access.sessionId));
  const noSession = sent.sessionId === null || isOver(sent.sessionId);
  return cookies.cleared([
    ...(noAccess ? (["access"] as const) : []),
    ...(noRefresh ? (["refresh"] as const) : []),
    ...(noSession ? (["session"] as const) : []),
    ...(noRefresh ? (["retry"] as const) : []),
  ]);
}

/**
 * The refresh tokens whose sessions end with the jar's. Where none counts, one may still be the jar's own, whose session must
 * not live on where its holder cannot see it; to end a planted one as well does no harm.
 */
export function tokensToEnd({ refresh, refreshTokens }: Jar): readonly JarToken[] {
  if (refresh === null) return refreshTokens.slice(0, UNTIED_TOKENS_ENDED);
  return refreshTokens.filter(({ sessionId }) => sessionId === refresh.sessionId);
}
