import { readBinding } from "../bindings/binding.ts";
import { SessionError } from "../errors.ts";
import type { SessionEvent } from "../events.ts";
import type { SessionId, SessionRecord } from "../store.ts";
import { checkedClaims, type OwnClaims } from "../tokens/own-claims.ts";
import type { EngineContext } from "./context.ts";
import type { IssuedTokens } from "./session-engine.ts";
import { statusOf } from "./session-status.ts";

/** A fresh access token beside the session's refresh token. `now`: when the answer was decided. Writes nothing. */
export async function issueTokens(
  context: EngineContext,
  session: SessionRecord,
  refreshToken: string,
  now: number,
  own: OwnClaims,
): Promise<IssuedTokens> {
  const { token, claims } = await context.accessTokens.sign(session, own);
  return {
    accessToken: token,
    expiresInSeconds: claims.exp - claims.iat,
    refreshToken,
    refreshExpiresInSeconds: secondsLeft(session, now),
    nextChallenge:
      session.binding === null ? null : context.proofs.rotationChallenge(session.id, session.generation),
    session,
  };
}

/** For a session that has just been bound. */
export function bindingEvent({ actorId, id: sessionId, binding }: SessionRecord): SessionEvent {
  return { type: "bound", kind: readBinding(binding)?.kind ?? "device", actorId, sessionId };
}

/**
 * The app's claims for an access token of the session. Whatever its hook throws is a fault: it must not be taken for a refusal,
 * which ends sessions.
 * @throws internal_error
 */
export async function ownClaims({ claims }: EngineContext, session: SessionRecord): Promise<OwnClaims> {
  if (claims === null) return {};
  try {
    return checkedClaims(await claims({ actorId: session.actorId, sessionId: session.id }));
  } catch (cause) {
    throw new SessionError("internal_error", "The claims of the access token cannot be had.", { cause });
  }
}

/** The same before a rotation, so that a fault spends no token. None for a session that is not alive: it is refused anyway. */
export async function ownClaimsBefore(context: EngineContext, id: SessionId): Promise<OwnClaims> {
  if (context.claims === null) return {};
  const session = await context.store.findSession(id);
  const isLive = session !== null && statusOf(session, context.clock.now()).status === "live";
  return isLive ? ownClaims(context, session) : {};
}

/** Whole seconds until the session ends unless it is refreshed. */
export function secondsLeft(session: SessionRecord, now: number): number {
  return Math.max(0, Math.floor((Math.min(session.idleExpiresAt, session.expiresAt) - now) / 1000));
}
