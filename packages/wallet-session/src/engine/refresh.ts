import { timingSafeEqual } from "node:crypto";
import { elapsedMs } from "../clock.ts";
import { SessionError } from "../errors.ts";
import type { RefreshRefusal } from "../events.ts";
import type { RevocationReason, SessionId, SessionRecord, Transport } from "../store.ts";
import { type AuthenticRefreshToken, hashSecret, readRefreshToken } from "../tokens/refresh-token.ts";
import type { EngineContext } from "./context.ts";
import { issueTokens, secondsLeft } from "./issue.ts";
import type { createRevoking } from "./revoke.ts";
import { classify, type RotationResult, rotate } from "./rotate.ts";
import type {
  JarRefreshResult,
  PresentedRefreshToken,
  RefreshResult,
  SessionEngine,
} from "./session-engine.ts";
import { isPastEnd, statusOf } from "./session-status.ts";

type Presented = string | PresentedRefreshToken;
type Refused = Extract<RotationResult, { outcome: "refused" }>;

/** What stands behind the tokens that were read: a caller is handed the session's id and never the secret. */
const authentic = new WeakMap<PresentedRefreshToken, AuthenticRefreshToken>();

/** The same token, for a caller to hand back: it is not verified again. */
export function presentedToken(read: AuthenticRefreshToken): PresentedRefreshToken {
  const presented = { sessionId: read.sessionId };
  authentic.set(presented, read);
  return presented;
}

/** The verbs of the engine that take a refresh token. A reused token ends its session, by `revoke`, before it is answered. */
export function createRefreshing(
  context: EngineContext,
  revoke: ReturnType<typeof createRevoking>["revoke"],
): Pick<SessionEngine, "readRefreshToken" | "refuseJar" | "refresh" | "refreshJar" | "inspectRefreshToken"> {
  const { store, keyring, accessTokens, clock, refreshLeewayMs } = context;

  function authenticOf(token: Presented): AuthenticRefreshToken {
    const read = typeof token === "string" ? readRefreshToken(keyring, token) : authentic.get(token);
    if (!read) throw refusal("malformed", null, null);
    return read;
  }

  async function rotateOrRefuse(
    presented: AuthenticRefreshToken,
    presentedBy: Transport,
    retryKey: string | null,
  ): Promise<RefreshResult> {
    const result = await rotate(context, { presented, presentedBy, retryKey });
    if (result.outcome === "refused") throw await refuse(presented, result);
    const now = result.outcome === "rotated" ? result.session.rotatedAt : clock.now();
    const tokens = await issueTokens(context, result.session, result.refreshToken, now);
    reportRefreshed(result.outcome, result.session, now);
    return { outcome: result.outcome, tokens };
  }

  /**
   * A cookie jar that was renewed less than two leeways ago is left alone: many tabs ask at once, and an answer that rotates
   * again could overtake the one before it. What counts is the age of the access token in the jar that asks, not of the
   * row: the row is young as well when an answer was lost and the jar still holds the old token.
   */
  async function unchangedJar(presented: AuthenticRefreshToken, accessToken: string | null) {
    if (accessToken === null) return null;
    const claims = await youngClaims(presented, accessToken);
    if (claims === null) return null;

    const session = await store.findSession(presented.sessionId);
    const now = clock.now();
    // A session that is not plainly alive is the rotation's to refuse.
    if (session === null || session.transport !== "cookie") return null;
    if (session.revokedAt !== null || isPastEnd(session, now)) return null;
    reportRefreshed("unchanged", session, session.rotatedAt);
    return {
      outcome: "unchanged",
      session,
      expiresInSeconds: Math.max(0, claims.exp - Math.floor(now / 1000)),
      refreshExpiresInSeconds: secondsLeft(session, now),
    } as const;
  }

  /** The claims of a valid access token of this very session, issued less than two leeways ago. */
  async function youngClaims(presented: AuthenticRefreshToken, accessToken: string) {
    try {
      const claims = await accessTokens.verify(accessToken);
      const age = elapsedMs(claims.iat * 1000, clock.now());
      return claims.sid === presented.sessionId && age < 2 * refreshLeewayMs ? claims : null;
    } catch (error) {
      if (error instanceof SessionError && error.code !== "store_unavailable") return null;
      throw error;
    }
  }

  /** Acts upon a refusal, so that a reused token's session has ended before the answer says so. */
  async function refuse(
    presented: AuthenticRefreshToken,
    { verdict, session }: Refused,
  ): Promise<SessionError> {
    if (verdict === "reused" && session !== null) {
      const ended = await revoke(session.id, session.actorId, "reuse");
      // One alarm: the call whose write ended the session raises it.
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
    return refusal(verdict, presented.sessionId, session?.revokedReason ?? null);
  }

  function refusal(why: RefreshRefusal, sessionId: SessionId | null, endedAs: RevocationReason | null) {
    const [code, detail] = REFUSALS[why];
    context.onEvent({ type: "refresh_refused", code, why, sessionId });
    return new SessionError(code, detail, { endedAs });
  }

  /** `issuedAt`: when the newest access token that is known of was issued. */
  function reportRefreshed(
    outcome: JarRefreshResult["outcome"],
    session: SessionRecord,
    issuedAt: number,
  ): void {
    const { actorId, id, generation } = session;
    context.onRefreshed(session, issuedAt);
    context.onEvent({ type: "refreshed", outcome, actorId, sessionId: id, generation });
  }

  return {
    /** Foreign tokens are refused here, before any look into the store. @throws refresh_token_invalid */
    readRefreshToken: (token) => presentedToken(authenticOf(token)),

    async refuseJar({ refreshTokens: [untied, ...others] }, { retryKey = null } = {}) {
      const presented = untied && readRefreshToken(keyring, untied.token);
      if (!presented) return refusal("malformed", null, null);
      // Of several, all of them may have been planted: nothing is asked about any.
      if (others.length > 0) return refusal("untied", null, null);
      const session = await store.findSession(presented.sessionId);
      if (session === null) return refusal("unknown_row", presented.sessionId, null);
      const now = clock.now();
      const isGood = isCurrent(presented, session) && statusOf(session, now).status === "live";
      const result = isGood
        ? null
        : classify(context, { presented, presentedBy: "cookie", retryKey }, session, now);
      if (result?.outcome === "refused") return refuse(presented, result);
      return refusal("untied", presented.sessionId, null);
    },

    async refresh(token, { retryKey = null } = {}) {
      return rotateOrRefuse(authenticOf(token), "body", retryKey);
    },

    async refreshJar(token, { retryKey = null, accessToken = null } = {}) {
      const presented = authenticOf(token);
      const unchanged = await unchangedJar(presented, accessToken);
      return unchanged ?? rotateOrRefuse(presented, "cookie", retryKey);
    },

    /** Looking at a token is not using it: it raises no alarm and is no refused refresh. */
    async inspectRefreshToken(token) {
      const presented = readRefreshToken(keyring, token);
      const session = presented && (await store.findSession(presented.sessionId));
      if (!presented || !session) throw new SessionError(...REFUSALS.malformed);
      const { status } = statusOf(session, clock.now());
      if (status === "revoked" || status === "expired") throw new SessionError(...REFUSALS[status]);
      if (!isCurrent(presented, session)) throw new SessionError(...REFUSALS.wrong_secret);
      return session;
    },
  };
}

function isCurrent({ generation, secret }: AuthenticRefreshToken, session: SessionRecord): boolean {
  return generation === session.generation && timingSafeEqual(hashSecret(secret), session.secretHash);
}

type RefusalCode = `refresh_token_${"invalid" | "expired" | "revoked" | "reused"}`;

const REFUSALS: Readonly<Record<RefreshRefusal, readonly [RefusalCode, string]>> = {
  malformed: ["refresh_token_invalid", "The refresh token is not valid."],
  untied: ["refresh_token_invalid", "The refresh token is not valid."],
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
