import { elapsedMs } from "../clock.ts";
import type { ErrorCode } from "../error-codes.ts";
import { SessionError } from "../errors.ts";
import type { RevocationReason, SessionId, SessionRecord } from "../store.ts";
import { type AuthenticRefreshToken, readRefreshToken } from "../tokens/refresh-token.ts";
import type { EngineContext } from "./context.ts";
import { issueTokens, secondsLeft } from "./issue.ts";
import { revoke } from "./revoke.ts";
import { isPastEnd, type Refusal, type RotationResult, rotate } from "./rotate.ts";
import type { RefreshRequest, RefreshResult } from "./session-engine.ts";

type Refused = Extract<RotationResult, { outcome: "refused" }>;

/**
 * A new access token for a refresh token, which rotates. What is no token of ours is refused before any look into the
 * store; a reused token ends its session before it is answered.
 * @throws refresh_token_invalid, refresh_token_expired, refresh_token_revoked, refresh_token_reused
 */
export async function refresh(context: EngineContext, request: RefreshRequest): Promise<RefreshResult> {
  const presented = readRefreshToken(context.keyring, request.token);
  if (presented === null) throw refusal(context, "malformed", null, null);

  const unchanged = await unchangedJar(context, request, presented);
  if (unchanged !== null) return unchanged;

  const { presentedBy, retryKey } = request;
  const result = await rotate(context, { presented, presentedBy, retryKey });
  if (result.outcome === "refused") throw await refuse(context, presented, result);

  const now = result.outcome === "rotated" ? result.session.rotatedAt : context.clock.now();
  const tokens = await issueTokens(context, result.session, result.refreshToken, now);
  reportRefreshed(context, result.outcome, result.session, now);
  return { outcome: result.outcome, tokens };
}

/**
 * A cookie jar that was renewed less than two leeways ago is left alone: many tabs ask at once, and an answer that rotates
 * again could overtake the one before it. What counts is the age of the access token in the jar that asks, not of the
 * row: the row is young as well when an answer was lost and the jar still holds the old token.
 */
async function unchangedJar(
  context: EngineContext,
  request: RefreshRequest,
  presented: AuthenticRefreshToken,
): Promise<RefreshResult | null> {
  if (request.presentedBy !== "cookie" || request.jarAccessToken === null) return null;
  const claims = await youngClaims(context, presented, request.jarAccessToken);
  if (claims === null) return null;

  const session = await context.store.findSession(presented.sessionId);
  const now = context.clock.now();
  // Whatever is not plainly alive is the rotation's to refuse.
  if (session === null || session.transport !== "cookie") return null;
  if (session.revokedAt !== null || isPastEnd(session, now)) return null;
  reportRefreshed(context, "unchanged", session, session.rotatedAt);
  return {
    outcome: "unchanged",
    session,
    expiresIn: Math.max(0, claims.exp - Math.floor(now / 1000)),
    refreshExpiresIn: secondsLeft(session, now),
  };
}

/** The claims of a valid access token of this very session, issued less than two leeways ago. */
async function youngClaims(context: EngineContext, presented: AuthenticRefreshToken, accessToken: string) {
  try {
    const claims = await context.accessTokens.verify(accessToken);
    const age = elapsedMs(claims.iat * 1000, context.clock.now());
    return claims.sid === presented.sessionId && age < 2 * context.refreshLeewayMs ? claims : null;
  } catch (error) {
    if (error instanceof SessionError && error.code !== "store_unavailable") return null;
    throw error;
  }
}

/** Acts upon a refusal, so that a reused token's session has ended before the answer says so. */
async function refuse(
  context: EngineContext,
  presented: AuthenticRefreshToken,
  { verdict, session }: Refused,
): Promise<SessionError> {
  if (verdict === "reused" && session !== null) {
    const ended = await revoke(context, session.id, session.actorId, "reuse");
    // Whoever's write ended the session raises the one alarm.
    if (ended) {
      context.onEvent({
        type: "reuse_detected",
        actorId: session.actorId,
        sessionId: session.id,
        presentedGeneration: presented.generation,
        currentGeneration: session.generation,
      });
    }
  }
  return refusal(context, verdict, presented.sessionId, session?.revokedReason ?? null);
}

function refusal(
  context: EngineContext,
  why: Refusal | "malformed",
  sessionId: SessionId | null,
  endedAs: RevocationReason | null,
): SessionError {
  const [code, detail] = REFUSALS[why];
  context.onEvent({ type: "refresh_refused", code, why, sessionId });
  return new SessionError(code, detail, { endedAs });
}

/** `issuedAt`: when the newest access token that is known of was issued. */
function reportRefreshed(
  context: EngineContext,
  outcome: RefreshResult["outcome"],
  session: SessionRecord,
  issuedAt: number,
): void {
  const { actorId, id, generation } = session;
  context.leases.renewed(session, issuedAt);
  context.onEvent({ type: "refreshed", outcome, actorId, sessionId: id, generation });
}

const REFUSALS: Record<Refusal | "malformed", readonly [ErrorCode, string]> = {
  malformed: ["refresh_token_invalid", "The refresh token is not valid."],
  unknown_row: ["refresh_token_invalid", "The refresh token is not valid."],
  wrong_transport: ["refresh_token_invalid", "The refresh token is not valid."],
  wrong_secret: ["refresh_token_invalid", "The refresh token is not valid."],
  expired: ["refresh_token_expired", "The session has expired. Sign in again."],
  revoked: ["refresh_token_revoked", "The session has been ended. Sign in again."],
  reused: [
    "refresh_token_reused",
    "This refresh token had been used before, so its session was ended. Sign in again.",
  ],
};
