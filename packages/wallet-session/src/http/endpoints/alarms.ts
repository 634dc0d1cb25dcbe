import type { SessionAlarm } from "../../engine/session-engine.ts";
import type { HttpContext } from "../context.ts";
import type { Handler } from "../handler.ts";
import { authenticateRequest } from "../request/credentials.ts";
import { privateJson } from "../response.ts";

/** `GET /api/auth/alarms`: the actor's sessions that the reuse of a token has ended of late, newest first. */
export function listAlarms(context: HttpContext): Handler {
  return async (request) => {
    const { session } = await authenticateRequest(context, request);
    const alarms = await context.engine.listAlarms(session.actorId);
    return privateJson({ alarms: alarms.map(describe) });
  };
}

function describe({ sessionId, endedAt, client: { browser, os, device, ip } }: SessionAlarm) {
  return {
    session_id: sessionId,
    at: new Date(endedAt).toISOString(),
    client: { browser, os, device, ip },
  };
}
