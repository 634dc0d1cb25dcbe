import { ENDED_SESSION_KEPT_MS, SESSION_ALARMS_LISTED } from "../limits.ts";
import type { ClientMetadata, SessionId, SessionRecord } from "../store.ts";
import type { EngineContext } from "./context.ts";

/** A session that was ended because a spent token of it came again. */
export interface SessionAlarm {
  readonly sessionId: SessionId;
  readonly endedAt: number;
  /** Of the device that had signed in. Who used the spent token is not known: the thief, or the one robbed. */
  readonly client: ClientMetadata;
}

/** The actor's alarms of as long as ended sessions are kept for certain, newest first. @throws store_unavailable */
export async function alarms({ store, clock }: EngineContext, actorId: string): Promise<SessionAlarm[]> {
  const since = clock.now() - ENDED_SESSION_KEPT_MS;
  const sessions = await store.endedByReuse(actorId, since, SESSION_ALARMS_LISTED);
  return sessions.map(alarmOf);
}

function alarmOf({ id, revokedAt, rotatedAt, client }: SessionRecord): SessionAlarm {
  return { sessionId: id, endedAt: revokedAt ?? rotatedAt, client };
}
