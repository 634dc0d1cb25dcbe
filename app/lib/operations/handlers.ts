import { type AuthenticatedSession, SessionError } from "wallet-session";
import type { Handler } from "wallet-session/http";
import { readJsonBody } from "wallet-session/kit";
import { sessions } from "../auth.ts";
import { type Answer, answerResponse, jsonAnswer, type OneHandler } from "../http/answer.ts";
import { type IdempotentRequest, idempotentRequest, keepAnswer, keptAnswer } from "../http/idempotency.ts";
import type { Tx } from "../sql/schema.ts";
import { streamsContext } from "../streams/context.ts";
import {
  cancelOperation,
  createOperation,
  noSuchOperation,
  readAskedStreams,
  requireRoom,
  resolveStreams,
  resumeOperation,
  takeTurn,
} from "./commands.ts";
import { OPERATION_MAX_BODY_BYTES } from "./limits.ts";
import { operationEvents } from "./live.ts";
import { operationJson } from "./operation.ts";
import { findOperation, listOperations } from "./rows.ts";
import { wakeOperations } from "./running.ts";

/** `POST /api/operations` */
export const postOperation: Handler = async (request) => {
  const { actorId, sessionId } = await sessions.handlers.guard(request, { fresh: true });
  const asked = readAskedStreams(await readJsonBody(request, OPERATION_MAX_BODY_BYTES));
  const idempotent = idempotentRequest(request, actorId, { asked });
  const { random } = await streamsContext();
  return changing(idempotent, {
    lock: (tx, now) => takeTurn(tx, actorId, now),
    async change(tx, now) {
      await requireRoom(tx, actorId, now);
      const streamIds = await resolveStreams(tx, actorId, asked);
      const operation = await createOperation(tx, { actorId, sessionId, streamIds }, now, random);
      return jsonAnswer(operationJson(operation, now), 202, { Location: `/api/operations/${operation.id}` });
    },
  });
};

/** `GET /api/operations` */
export const getOperations: Handler = async (request) => {
  const { actorId } = await sessions.handlers.guard(request);
  const { sql, clock } = await streamsContext();
  const rows = await listOperations(sql.db, actorId);
  const now = clock.now();
  return answerResponse(jsonAnswer({ operations: rows.map((row) => operationJson(row, now)) }));
};

/** `GET /api/operations/{id}` */
export const getOperation: OneHandler = async (request, { id }) => {
  const { actorId } = await sessions.handlers.guard(request);
  const { sql, clock } = await streamsContext();
  const row = await findOperation(sql.db, actorId, id);
  if (row === null) throw noSuchOperation();
  return answerResponse(jsonAnswer(operationJson(row, clock.now())));
};

/** `POST /api/operations/{id}/resume` */
export const postResume: OneHandler = async (request, { id }) => {
  const session = await sessions.handlers.guard(request, { fresh: true });
  const { actorId, sessionId } = session;
  await readJsonBody(request, OPERATION_MAX_BODY_BYTES);
  const grant = { actorId, sessionId, sessionCreatedAt: await createdAtOf(session) };
  return changing(idempotentRequest(request, actorId), {
    lock: (tx) => findOperation(tx, actorId, id, "for update"),
    change: async (tx, now) => jsonAnswer(operationJson(await resumeOperation(tx, grant, id, now), now)),
  });
};

/** `POST /api/operations/{id}/cancel` */
export const postCancel: OneHandler = async (request, { id }) => {
  const { actorId } = await sessions.handlers.guard(request, { fresh: true });
  await readJsonBody(request, OPERATION_MAX_BODY_BYTES);
  return changing(idempotentRequest(request, actorId), {
    lock: (tx) => findOperation(tx, actorId, id, "for update"),
    change: async (tx, now) => jsonAnswer(operationJson(await cancelOperation(tx, actorId, id, now), now)),
  });
};

/** `GET /api/operations/{id}/events` */
export const getOperationEvents: OneHandler = async (request, { id }) => {
  const session = await sessions.handlers.guard(request);
  const context = await streamsContext();
  if ((await findOperation(context.sql.db, session.actorId, id)) === null) throw noSuchOperation();
  return sessions.handlers.eventStream(request, session, operationEvents(context, id, session.actorId));
};

interface Change {
  /** Locks what the change decides by, before anything is looked at. */
  lock(tx: Tx, now: number): Promise<unknown>;
  change(tx: Tx, now: number): Promise<Answer>;
}

/** A change in one transaction with the answer that a retry is given. Afterwards the worker looks what there is to do. */
async function changing(idempotent: IdempotentRequest | null, { lock, change }: Change): Promise<Response> {
  const { sql, clock } = await streamsContext();
  const answer = await sql.write(async (tx) => {
    const now = clock.now();
    await lock(tx, now);
    const kept = await keptAnswer(tx, idempotent);
    if (kept !== null) return kept;
    const made = await change(tx, now);
    await keepAnswer(tx, idempotent, made, now);
    return made;
  });
  wakeOperations();
  return answerResponse(answer);
}

/** When the wallet signed for this session. @throws session_revoked */
async function createdAtOf({ sessionId }: AuthenticatedSession): Promise<number> {
  const standing = await sessions.engine.getSessionStatus(sessionId);
  if (standing.status === "live") return standing.createdAt;
  throw new SessionError("session_revoked", "The session has ended.");
}
