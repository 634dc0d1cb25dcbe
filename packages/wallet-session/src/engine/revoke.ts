import { SessionError } from "../errors.ts";
import type { RevocationReason, SessionId } from "../store.ts";
import { readRefreshToken } from "../tokens/refresh-token.ts";
import type { EngineContext } from "./context.ts";
import type { SessionEngine } from "./session-engine.ts";

type RevokingVerbs = Pick<
  SessionEngine,
  "revokeByRefreshToken" | "revokeByAccessToken" | "revokeSession" | "revokeSessions"
>;

/** The verbs of the engine that end sessions. All but the last end one by `revoke`. */
export function createRevoking({ store, clock, keyring, accessTokens, revocations, onEvent }: EngineContext) {
  /**
   * Ends one session. Once this resolves no refresh begun later succeeds on any node; access tokens are refused here at
   * once and on other nodes within a second or so. True for the one caller whose write ended it.
   */
  async function revoke(id: SessionId, actorId: string, reason: RevocationReason): Promise<boolean> {
    const hit = await store.revokeSession(id, { reason, revokedAt: clock.now() });
    if (hit) announce([id], actorId, reason);
    return hit;
  }

  function announce(sessionIds: readonly SessionId[], actorId: string, reason: RevocationReason): void {
    for (const id of sessionIds) revocations.add(id, reason);
    onEvent({ type: "revoked", reason, actorId, sessionIds });
  }

  const verbs: RevokingVerbs = {
    /** A spent token may end its session, not renew it. */
    async revokeByRefreshToken(token, reason) {
      const presented = readRefreshToken(keyring, token);
      if (presented === null) return false;
      const session = await store.findSession(presented.sessionId);
      return session !== null && revoke(session.id, session.actorId, reason);
    },

    /** An expired token will do: to sign out must not need a refresh first. */
    async revokeByAccessToken(token, reason) {
      try {
        const { sid, sub } = await accessTokens.verifyAnyAge(token);
        return await revoke(sid, sub, reason);
      } catch (error) {
        if (error instanceof SessionError && error.code === "access_token_invalid") return false;
        throw error;
      }
    },

    /** Ends one of the actor's own sessions; one that has ended already stays so. @throws not_found */
    async revokeSession(actorId, id) {
      const session = await store.findSession(id);
      if (session === null || session.actorId !== actorId) {
        throw new SessionError("not_found", "There is no such session.");
      }
      await revoke(id, actorId, "ended");
    },

    /** Ends the actor's live sessions, all but `except`. Returns how many this call ended. */
    async revokeSessions(actorId, except) {
      const ids = await store.revokeActor(actorId, { reason: "ended", revokedAt: clock.now() }, except);
      if (ids.length > 0) announce(ids, actorId, "ended");
      return ids.length;
    },
  };
  return { revoke, verbs };
}
