import { AsyncLocalStorage } from "node:async_hooks";
import type { SessionId } from "./store.ts";

/** Facts about the request that is being answered: for its log lines, never for a decision. */
export interface RequestContext {
  readonly requestId: string;
  /** The sender, once known. */
  actorId: string | null;
  sessionId: SessionId | null;
  /** The code of the problem that it is answered with. */
  code: string | null;
}

const REQUESTS = Symbol.for("wallet-session.requests");
/** A bundler may load this module more than once: all copies share the running requests. */
const shared = globalThis as { [REQUESTS]?: AsyncLocalStorage<RequestContext | undefined> };
shared[REQUESTS] ??= new AsyncLocalStorage();
const requests = shared[REQUESTS];

/** Runs the work, and all that follows from it, as part of the request; for undefined, as part of none. */
export function inRequest<Result>(context: RequestContext | undefined, work: () => Result): Result {
  return requests.run(context, work);
}

/** The request that the caller is part of the answer to. */
export function currentRequest(): RequestContext | undefined {
  return requests.getStore();
}

/** Notes the session of the request. */
export function noteSession({ actorId, sessionId }: { actorId: string; sessionId: SessionId }): void {
  const request = currentRequest();
  if (request === undefined) return;
  request.actorId = actorId;
  request.sessionId = sessionId;
}

/** Notes the problem that the request is answered with. */
export function noteProblem(code: string): void {
  const request = currentRequest();
  if (request !== undefined) request.code = code;
}
