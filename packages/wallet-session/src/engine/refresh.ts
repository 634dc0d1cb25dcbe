import { timingSafeEqual } from "node:crypto";
import { readBinding } from "../bindings/binding.ts";
import { elapsedMs } from "../clock.ts";
import { SessionError } from "../errors.ts";
import { FIRST_PROOF_MUST_MS } from "../limits.ts";
import type { SessionRecord } from "../store.ts";
import {
  type AuthenticRefreshToken,
  hashSecret,
  readRefreshToken,
  writeRegisteredToken,
} from "../tokens/refresh-token.ts";
import type { AccessClaims } from "../tokens/strict-jwt.ts";
import { validClaims } from "./authenticate.ts";
import type { EngineContext } from "./context.ts";
import { bindingEvent, issueTokens, ownClaimsBefore, secondsLeft } from "./issue.ts";
import type { RotationProof } from "./proofs.ts";
import { createRefusing, REFUSALS } from "./refusing.ts";
import type { createRevoking } from "./revoke.ts";
import { classify, type Rotation, rotate } from "./rotate.ts";
import type {
  JarRefreshResult,
  PresentedRefreshToken,
  RefreshResult,
  SessionEngine,
} from "./session-engine.ts";
import { isPastEnd, statusOf } from "./session-status.ts";

type Presented = string | PresentedRefreshToken;

/** What stands behind the tokens that were read: a caller is handed the session's id and never the secret. */
const authentic = new WeakMap<PresentedRefreshToken, AuthenticRefreshToken>();

/** The same token, for a caller to hand back: it is not verified again. */
export function presentedToken(read: AuthenticRefreshToken): PresentedRefreshToken {
  const presented = { sessionId: read.sessionId };
  authentic.set(presented, read);
  return presented;
}

type RefreshingVerb =
  | "readRefreshToken"
  | "refuseJar"
  | "refresh"
  | "refreshJar"
  | "refreshDevice"
  | "registerDevice"
  | "inspectRefreshToken";

/** The verbs of the engine that take a refresh token. A reused token ends its session, by `revoke`, before it is answered. */
export function createRefreshing(
  context: EngineContext,
  revoke: ReturnType<typeof createRevoking>["revoke"],
): Pick<SessionEngine, RefreshingVerb> {
  const { store, keyring, clock, proofs, refreshLeewayMs } = context;
  const { refuse, refusal } = createRefusing(context, revoke);

  function authenticOf(token: Presented): AuthenticRefreshToken {
    const read = typeof token === "string" ? readRefreshToken(keyring, token) : authentic.get(token);
    if (!read) throw refusal("malformed", null, null);
    return read;
  }

  async function rotateOrRefuse(rotation: Rotation): Promise<RefreshResult> {
    const { presented, proof } = rotation;
    const own = await ownClaimsBefore(context, presented.sessionId);
    const result = await rotate(context, rotation);
    if (result.outcome === "refused")
      throw await refuse(presented, result, proof !== null || rotation.presentedBy === "body");
    const { outcome, session, refreshToken } = result;
    const now = outcome === "rotated" ? session.rotatedAt : clock.now();
    const tokens = await issueTokens(context, session, refreshToken, now, own);
    const bindsNow = proof?.kind === "device" && outcome === "rotated" && isFirstProof(session);
    if (bindsNow) context.onEvent(bindingEvent(session));
    reportRefreshed(outcome, session, now);
    return { outcome, tokens };
  }

  /** A proof that is none is reported as one by another key is: who holds the token may not hold the key. */
  async function proven(
    presented: AuthenticRefreshToken,
    read: () => RotationProof | null,
  ): Promise<RotationProof | null> {
    try {
      return read();
    } catch (error) {
      const session = await store.findSession(presented.sessionId);
      if (session === null || session.binding === null || statusOf(session, clock.now()).status !== "live")
        throw error;
      throw await refuse(presented, { verdict: "bad_proof", session }, true);
    }
  }

  /**
   * A cookie jar that was renewed less than two leeways ago is left alone: many tabs ask at once, and an answer that rotates
   * again could overtake the one before it. What counts is the age of the access token in the jar that asks, not of the
   * row: the row is young as well when an answer was lost and the jar still holds the old token.
   */
  async function unchangedJar(presented: AuthenticRefreshToken, claims: AccessClaims) {
    if (elapsedMs(claims.iat * 1000, clock.now()) >= 2 * refreshLeewayMs) return null;

    const session = await store.findSession(presented.sessionId);
    const now = clock.now();
    // A session that is not plainly alive is the rotation's to refuse.
    if (session === null || session.transport !== "cookie" || session.binding !== null) return null;
    if (session.revokedAt !== null || isPastEnd(session, now)) return null;
    // Nor is a spent token spared: beside a young access token it is a retry or it is reuse.
    if (presented.generation < session.generation) return null;
    reportRefreshed("unchanged", session, session.rotatedAt);
    return {
      outcome: "unchanged",
      session,
      expiresInSeconds: Math.max(0, claims.exp - Math.floor(now / 1000)),
      refreshExpiresInSeconds: secondsLeft(session, now),
    } as const;
  }

  /** Of a jar that was told to prove its key: nothing comes of its token without a proof. @throws proof_missing */
  async function requireFirstProof(rotation: Rotation): Promise<void> {
    const { presented, couldNotProve } = rotation;
    const now = clock.now();
    if (presented.registeredAt === undefined || now - presented.registeredAt < FIRST_PROOF_MUST_MS) return;
    const session = await store.findSession(presented.sessionId);
    if (session === null || classify(context, rotation, session, now).outcome !== "again") return;
    throw await refuse(presented, { verdict: couldNotProve ? "bound_since" : "proof_missing", session });
  }

  /** The claims of a valid access token of this very session. */
  async function ownAccessClaims({ sessionId }: AuthenticRefreshToken, accessToken: string) {
    const claims = await validClaims(context, accessToken);
    return claims?.sid === sessionId ? claims : null;
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
        : classify(context, { presented, presentedBy: "cookie", retryKey, proof: null }, session, now);
      if (result?.outcome === "refused") return refuse(presented, result);
      return refusal("untied", presented.sessionId, null);
    },

    async refresh(token, { retryKey = null, dpop = null } = {}) {
      const presented = authenticOf(token);
      const proof = await proven(presented, () => dpop && proofs.ofRefresh(dpop, presented.sessionId));
      return rotateOrRefuse({ presented, presentedBy: "body", retryKey, proof });
    },

    async refreshJar(token, { retryKey = null, accessToken = null, couldNotProve = false } = {}) {
      const presented = authenticOf(token);
      const claims = accessToken === null ? null : await ownAccessClaims(presented, accessToken);
      const unchanged = claims && (await unchangedJar(presented, claims));
      if (unchanged !== null) return unchanged;
      const rotation = {
        presented,
        presentedBy: "cookie",
        retryKey,
        proof: null,
        showsAccess: claims !== null,
        couldNotProve,
      } as const;
      await requireFirstProof(rotation);
      return rotateOrRefuse(rotation);
    },

    async registerDevice(token, text) {
      const presented = authenticOf(token);
      const session = await store.findSession(presented.sessionId);
      const now = clock.now();
      const isGood =
        session !== null && isCurrent(presented, session) && statusOf(session, now).status === "live";
      // A second key would be that of somebody who has come later.
      const isFree = presented.registeredAt === undefined && session?.binding === null;
      if (!isGood || session.transport !== "cookie" || !isFree) {
        throw new SessionError("proof_invalid", "No key can be registered for this session now.");
      }
      return {
        session,
        deviceId: proofs.deviceIdOf(text, session.id, session.generation),
        refreshToken: writeRegisteredToken(keyring.signing, presented, now, context.random),
        refreshExpiresInSeconds: secondsLeft(session, now),
      };
    },

    async refreshDevice(token, { deviceId, proof: text }) {
      const presented = authenticOf(token);
      // A browser asks by the keys of all the sessions that it had here: that is no thief's doing.
      const registeredFor = proofs.sessionOfDevice(deviceId);
      if (registeredFor !== null && registeredFor !== presented.sessionId)
        throw refusal("other_session", presented.sessionId, null);
      const proof = await proven(presented, () => proofs.ofDevice(deviceId, text, presented.sessionId));
      return rotateOrRefuse({ presented, presentedBy: "cookie", retryKey: null, proof });
    },

    /** Looking at a token is not using it: it raises no alarm and is no refused refresh. */
    async inspectRefreshToken(token) {
      const presented = readRefreshToken(keyring, token);
      if (presented === null) throw new SessionError(...REFUSALS.malformed);
      const session = await store.findSession(presented.sessionId);
      if (session === null) throw new SessionError(...REFUSALS.malformed);
      const { status } = statusOf(session, clock.now());
      if (status === "revoked" || status === "expired") throw new SessionError(...REFUSALS[status]);
      if (!isCurrent(presented, session)) throw new SessionError(...REFUSALS.wrong_secret);
      return session;
    },
  };
}

/** Whether the rotation that has left the session so has bound it. */
function isFirstProof({ binding, generation }: SessionRecord): boolean {
  const bound = readBinding(binding);
  return bound?.kind === "device" && bound.unboundUpTo + 1 === generation;
}

function isCurrent({ generation, secret }: AuthenticRefreshToken, session: SessionRecord): boolean {
  return generation === session.generation && timingSafeEqual(hashSecret(secret), session.secretHash);
}
