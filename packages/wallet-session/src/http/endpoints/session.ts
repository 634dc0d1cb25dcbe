import { readBinding } from "../../bindings/binding.ts";
import { elapsedMs } from "../../clock.ts";
import type { SessionAlarm } from "../../engine/session-engine.ts";
import { SessionError } from "../../errors.ts";
import type { HttpContext } from "../context.ts";
import type { EventStreams } from "../event-streams/event-streams.ts";
import type { Handler } from "../handler.ts";
import { problemResponse } from "../problem.ts";
import { headerToken } from "../request/authorization.ts";
import { authenticateRequest } from "../request/credentials.ts";
import { appendCookies, privateJson } from "../response.ts";

/**
 * `GET /api/auth/session`: who is signed in here, and for how long. Reads the row, so an ended session is seen at once. An access
 * cookie whose token has ended is cleared where browsers bind sessions: they renew a cookie that is missing, and one that came
 * while the machine was going to sleep stays for as long as it slept.
 */
export function session(context: HttpContext): Handler {
  const { engine, clock, cookies, deviceBinding } = context;
  return async (request) => {
    const credentials = await authenticateRequest(context, request).catch((error) => {
      const hasEnded = error instanceof SessionError && error.code === "access_token_expired";
      if (!hasEnded || deviceBinding === "off" || headerToken(request) !== null) throw error;
      const refusal = problemResponse(error);
      appendCookies(refusal.headers, cookies.cleared(["access"]));
      return refusal;
    });
    if (credentials instanceof Response) return credentials;
    const { session: authenticated } = credentials;
    const row = await engine.getSession(authenticated);
    return privateJson({
      actor_id: row.actorId,
      session_id: row.id,
      transport: row.transport,
      binding: readBinding(row.binding)?.kind ?? null,
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
