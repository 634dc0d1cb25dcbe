import { readBinding } from "../../bindings/binding.ts";
import { SessionError } from "../../errors.ts";
import { sessionIdOf } from "../../session-id.ts";
import type { SessionRecord } from "../../store.ts";
import type { HttpContext } from "../context.ts";
import type { Handler, RouteHandler } from "../handler.ts";
import { emptiedJar, openJar } from "../jar.ts";
import { authenticateRequest, type Credentials } from "../request/credentials.ts";
import { queryValue } from "../request/query.ts";
import { noContent, privateJson } from "../response.ts";

/** `GET /api/auth/sessions`: the actor's live sessions, newest first. */
export function listSessions(context: HttpContext): Handler {
  return async (request) => {
    const { session } = await authenticateRequest(context, request);
    const rows = await context.engine.listSessions(session.actorId);
    return privateJson({
      sessions: rows.map((row) => ({
        id: row.id,
        current: row.id === session.sessionId,
        ...describeSession(row),
        proof_failed_at: row.proofFailedAt === null ? null : new Date(row.proofFailedAt).toISOString(),
      })),
    });
  };
}

/** `DELETE /api/auth/sessions`: ends the actor's other sessions; with `?scope=all` this one too. */
export function revokeSessions(context: HttpContext): Handler {
  return async (request) => {
    const scope = queryValue(request, "scope") ?? "others";
    if (scope !== "others" && scope !== "all") {
      throw new SessionError("invalid_request", "scope is either others or all.");
    }
    const credentials = await authenticateRequest(context, request, { fresh: true });
    const { actorId, sessionId } = credentials.session;
    const revoked = await context.engine.revokeSessions(actorId, scope === "all" ? null : sessionId);
    return privateJson(
      { revoked },
      scope === "all" ? await withoutSession(context, request, credentials) : [],
    );
  };
}

/** `DELETE /api/auth/sessions/{id}`: ends one of the actor's own sessions, which may have ended already. */
export function revokeSession(context: HttpContext): RouteHandler<{ readonly id: string }> {
  return async (request, { id }) => {
    const credentials = await authenticateRequest(context, request, { fresh: true });
    const { actorId, sessionId } = credentials.session;
    const ended = sessionIdOf(id);
    if (ended === null) throw new SessionError("not_found", "There is no such session.");
    await context.engine.revokeSession(actorId, ended);
    return noContent(id === sessionId ? await withoutSession(context, request, credentials) : []);
  };
}

/** What a person may see of a session: no hash, no secret, and no more of the address than is stored. */
export function describeSession(row: SessionRecord) {
  const { browser, os, device, ip } = row.client;
  return {
    created_at: new Date(row.createdAt).toISOString(),
    last_active_at: new Date(row.rotatedAt).toISOString(),
    idle_expires_at: new Date(row.idleExpiresAt).toISOString(),
    expires_at: new Date(row.expiresAt).toISOString(),
    generation: row.generation,
    transport: row.transport,
    binding: readBinding(row.binding)?.kind ?? null,
    client: { browser, os, device, ip },
  };
}

/** After the end of its own session a jar has no use for its cookies. */
async function withoutSession(
  context: HttpContext,
  request: Request,
  { by, session: { sessionId } }: Credentials,
): Promise<string[]> {
  return by === "cookie" ? emptiedJar(context, await openJar(context, request), [sessionId]) : [];
}
