import { SessionError } from "wallet-session";
import type { Handler } from "wallet-session/http";
import { queryValue, readJsonBody } from "wallet-session/kit";
import { sessions } from "../auth.ts";
import { answerResponse, ifMatch, jsonAnswer, type OneHandler, versionTag } from "../http/answer.ts";
import { idempotentRequest } from "../http/idempotency.ts";
import { changeFeed } from "../live/changes.ts";
import { operationChanges } from "../operations/live.ts";
import { malformed } from "../refusals.ts";
import { commandStream } from "./command.ts";
import { streamsContext } from "./context.ts";
import { makeStream, readWish } from "./create.ts";
import { LIST_LIMIT_DEFAULT, LIST_LIMIT_MAX, STREAM_BODY_MAX_BYTES } from "./limits.ts";
import { countStreams, cursorOf, isRole, isStreamStatus, listStreams, placeOf } from "./list.ts";
import { streamChanges, streamEvents } from "./live.ts";
import { confirmPayout } from "./payout.ts";
import { findStream } from "./stream-store.ts";
import type { StreamCommand } from "./transitions.ts";
import { historyView, streamView } from "./view.ts";

/** `POST /api/streams` */
export const postStream: Handler = async (request) => {
  const { actorId } = await sessions.handlers.guard(request, { fresh: true });
  const { start, ...wish } = readWish(await readJsonBody(request, STREAM_BODY_MAX_BYTES), actorId);
  const idempotent = idempotentRequest(request, actorId, { ...wish, start });
  return answerResponse(await makeStream(await streamsContext(), actorId, { ...wish, start }, idempotent));
};

/** `GET /api/streams` */
export const getStreams: Handler = async (request) => {
  const { actorId } = await sessions.handlers.guard(request);
  const filter = { actorId, ...readFilter(request) };
  const { sql, clock } = await streamsContext();
  const [{ records, next }, counts] = await Promise.all([
    listStreams(sql.db, filter),
    countStreams(sql.db, filter),
  ]);
  const now = clock.now();
  const streams = records.map((record) => streamView(record, actorId, now));
  return answerResponse(jsonAnswer({ streams, next_cursor: next && cursorOf(next), counts }));
};

/** `GET /api/streams/{id}` */
export const getStream: OneHandler = async (request, { id }) => {
  const { actorId } = await sessions.handlers.guard(request);
  const { sql, clock } = await streamsContext();
  const found = await findStream(sql.db, id, actorId);
  if (found === null) throw new SessionError("not_found", "There is no such stream.");
  const view = streamView(found.record, actorId, clock.now());
  const history = await historyView(sql.db, id);
  return answerResponse(jsonAnswer({ ...view, history }, 200, { ETag: versionTag(found.record.version) }));
};

/** `POST /api/streams/{id}/start|pause|settle|withdraw|cancel` */
export function postCommand(command: StreamCommand): OneHandler {
  return async (request, { id }) => {
    const session = await sessions.handlers.guard(request, { fresh: true });
    const { actorId } = session;
    await readJsonBody(request, STREAM_BODY_MAX_BYTES);
    const idempotent = idempotentRequest(request, actorId);
    const instead = command === "withdraw" ? await confirmPayout(request, session, id, idempotent) : null;
    if (instead !== null) return instead;
    const answer = await commandStream(await streamsContext(), {
      streamId: id,
      actorId,
      command,
      matches: ifMatch(request),
      idempotent,
    });
    return answerResponse(answer);
  };
}

/** `GET /api/streams/{id}/events` */
export const getStreamEvents: OneHandler = async (request, { id }) => {
  const session = await sessions.handlers.guard(request);
  const context = await streamsContext();
  const found = await findStream(context.sql.db, id, session.actorId);
  if (found === null) throw new SessionError("not_found", "There is no such stream.");
  return sessions.handlers.eventStream(request, session, streamEvents(context, id, session.actorId));
};

function readFilter(request: Request) {
  const status = queryValue(request, "status");
  if (status !== null && !isStreamStatus(status)) throw malformed("status is not one that a stream can have");
  const role = queryValue(request, "role");
  if (role !== null && !isRole(role)) throw malformed("role is either sender or recipient");
  const limit = queryValue(request, "limit") ?? String(LIST_LIMIT_DEFAULT);
  if (!/^[1-9]\d{0,2}$/.test(limit) || Number(limit) > LIST_LIMIT_MAX) {
    throw malformed(`limit must be from 1 to ${LIST_LIMIT_MAX}`);
  }
  const cursor = queryValue(request, "cursor");
  return { status, role, limit: Number(limit), after: cursor === null ? null : placeOf(cursor) };
}

/** `GET /api/events` */
export const getEvents: Handler = async (request) => {
  const session = await sessions.handlers.guard(request);
  const context = await streamsContext();
  const sources = [...streamChanges(context), operationChanges(context)];
  return sessions.handlers.eventStream(
    request,
    session,
    await changeFeed(context.sql, session.actorId, sources),
  );
};
