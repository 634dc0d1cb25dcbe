import { SessionError } from "../errors.ts";
import type { RevocationReason, SessionId } from "../store.ts";
import { readRefreshToken } from "../tokens/refresh-token.ts";
import { validClaims } from "./authenticate.ts";
import type { EngineContext } from "./context.ts";
import type { SessionEngine } from "./session-engine.ts";
import { createUnansweredRevocations } from "./unanswered-revocations.ts";

type RevokingVerbs = Pick<
  SessionEngine,
  "revokeByRefreshToken" | "revokeByAccessToken" | "revokeSession" | "revokeSessions"
>;

/** The verbs of the engine that end sessions. All but the last end one by `revoke`. */
export function createRevoking(context: EngineContext) {
  const { store, clock, keyring, revocations, onEvent } = context;
  const unanswered = createUnansweredRevocations();
  revocations.onRead(unanswered.read);

  /**
   * Ends one session. Once this resolves no refresh begun later succeeds on any node; access tokens are refused here at
   * once and on other nodes within a second or so. True for the one caller whose write ended it; the others wait until this
   * node has read of it, since another one may have ended it a moment ago. `onEnded` is called once for the one whose write
   * ended it; where the answer to that is lost, as soon as this node reads of it.
   */
  async function revoke(
    id: SessionId,
    actorId: string,
    reason: RevocationReason,
    onEnded = () => {},
  ): Promise<boolean> {
    const revokedAt = clock.now();
    const ended = () => {
      announce([id], actorId, reason);
      onEnded();
    };
    const hit = await unanswered.run({ sessionId: id, revokedAt }, ended, () =>
      store.revokeSession(id, { reason, revokedAt }),
    );
    if (!hit && !revocations.has(id)) await revocations.catchUp();
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

    /** Not by an expired one, as an old log may hold: who is signed in has a refresh token for it. */
    async revokeByAccessToken(token, reason) {
      const claims = await validClaims(context, token);
      return claims !== null && revoke(claims.sid, claims.sub, reason);
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
      await revocations.catchUp();
      return ids.length;
    },
  };
  return { revoke, verbs };
}
