import type { HttpContext } from "../context.ts";
import type { Handler } from "../handler.ts";
import { authenticateRequest } from "../request/credentials.ts";
import type { EventStreams } from "./event-streams.ts";

/** `GET /api/auth/events`: what happens to this session, as an event stream. */
export function events(context: HttpContext, streams: EventStreams): Handler {
  return async (request) => {
    const { session } = await authenticateRequest(context, request);
    return streams.open(request, session);
  };
}
