import { elapsedMs } from "../../clock.ts";
import type { SessionAlarm } from "../../engine/session-engine.ts";
import type { HttpContext } from "../context.ts";
import type { EventStreams } from "../event-streams/event-streams.ts";
import type { Handler } from "../handler.ts";
import { authenticateRequest } from "../request/credentials.ts";
import { privateJson } from "../response.ts";

/** `GET /api/auth/session`: who is signed in here, and for how long. Reads the row, so an ended session is seen at once. */
export function session(context: HttpContext): Handler {
  const { engine, clock } = context;
  return async (request) => {
    const { session: authenticated } = await authenticateRequest(context, request);
    const row = await engine.getSession(authenticated);
    return privateJson({
      actor_id: row.actorId,
      session_id: row.id,
      transport: row.transport,
      generation: row.generation,
      expires_in: Math.floor(elapsedMs(clock.now(), authenticated.accessExpiresAt) / 1000),
      session_expires_at: new Date(row.expiresAt).toISOString(),
      idle_expires_at: new Date(row.idleExpiresAt).toISOString(),
      created_at: new Date(row.createdAt).toISOString(),
      last_active_at: new Date(row.rotatedAt).toISOString(),
    });
  };
}

/** `GET /api/auth/events`: the news of this session, as an event stream. */
export function events(context: HttpContext, streams: EventStreams): Handler {
  return async (request) => {
    const { session } = await authenticateRequest(context, request);
    return streams.open(request, session);
  };
}

/** `GET /api/auth/alarms`: the actor's sessions that the reuse of a token ended in the last days, newest first. */
export function listAlarms(context: HttpContext): Handler {
  return async (request) => {
    const { session } = await authenticateRequest(context, request);
    const alarms = await context.engine.listAlarms(session.actorId);
    return privateJson({ alarms: alarms.map(describeAlarm) });
  };
}

function describeAlarm({ sessionId, endedAt, client: { browser, os, device, ip } }: SessionAlarm) {
  return {
    session_id: sessionId,
    at: new Date(endedAt).toISOString(),
    client: { browser, os, device, ip },
  };
}
