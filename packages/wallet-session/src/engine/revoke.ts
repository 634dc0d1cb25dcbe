import { SessionError } from "../errors.ts";
import type { RevocationReason, SessionId } from "../store.ts";
import { readRefreshToken } from "../tokens/refresh-token.ts";
import type { EngineContext } from "./context.ts";

/**
 * Ends one session. Once this resolves no refresh begun later succeeds on any node; access tokens are refused here at
 * once and on other nodes within a second or so. True for the one caller whose write ended it.
 */
export async function revoke(
  context: EngineContext,
  id: SessionId,
  actorId: string,
  reason: RevocationReason,
): Promise<boolean> {
  const hit = await context.store.revokeSession(id, { reason, revokedAt: context.clock.now() });
  if (hit) announce(context, [id], actorId, reason);
  return hit;
}

/** A spent token may end its session, not renew it. */
export async function revokeByRefreshToken(
  context: EngineContext,
  token: string,
  reason: RevocationReason,
): Promise<boolean> {
  const presented = readRefreshToken(context.keyring, token);
  if (presented === null) return false;
  const session = await context.store.findSession(presented.sessionId);
  return session !== null && revoke(context, session.id, session.actorId, reason);
}

/** An expired token will do: to sign out must not need a refresh first. */
export async function revokeByAccessToken(
  context: EngineContext,
  token: string,
  reason: RevocationReason,
): Promise<boolean> {
  try {
    const { sid, sub } = await context.accessTokens.verifyAnyAge(token);
    return await revoke(context, sid, sub, reason);
  } catch (error) {
    if (error instanceof SessionError && error.code === "access_token_invalid") return false;
    throw error;
  }
}

/** Ends one of the actor's own sessions; one that has ended already stays so. @throws not_found */
export async function revokeSession(context: EngineContext, actorId: string, id: SessionId): Promise<void> {
  const session = await context.store.findSession(id);
  if (session === null || session.actorId !== actorId) {
    throw new SessionError("not_found", "There is no such session.");
  }
  await revoke(context, id, actorId, "ended");
}

/** Ends the actor's live sessions, all but `except`. Returns how many this call ended. */
export async function revokeSessions(
  context: EngineContext,
  actorId: string,
  except: SessionId | null,
): Promise<number> {
  const revocation = { reason: "ended", revokedAt: context.clock.now() } as const;
  const ids = await context.store.revokeActor(actorId, revocation, except);
  if (ids.length > 0) announce(context, ids, actorId, "ended");
  return ids.length;
}

function announce(
  context: EngineContext,
  sessionIds: readonly SessionId[],
  actorId: string,
  reason: RevocationReason,
): void {
  for (const id of sessionIds) context.revocations.add(id, reason);
  context.onEvent({ type: "revoked", reason, actorId, sessionIds });
}
