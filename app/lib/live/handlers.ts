import type { Handler } from "wallet-session/http";
import { sessions } from "../auth.ts";
import { operationChanges } from "../operations/live.ts";
import { streamsContext } from "../streams/context.ts";
import { streamChanges } from "../streams/live.ts";
import { changeFeed } from "./changes.ts";

/** `GET /api/events` */
export const getEvents: Handler = async (request) => {
  const session = await sessions.handlers.guard(request);
  const context = await streamsContext();
  const sources = [streamChanges(context), operationChanges(context)];
  return sessions.handlers.eventStream(
    request,
    session,
    await changeFeed(context.sql, session.actorId, sources),
  );
};
