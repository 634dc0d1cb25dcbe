import { randomUUID } from "node:crypto";
import type { Stopwatch } from "../clock.ts";
import { inRequest, type RequestContext } from "../request-context.ts";
import type { Handler } from "./handler.ts";
import { skippedReason } from "./request/skipped-proof.ts";

/** A request that was answered. Its values are ids, codes and figures; of the path it has the template alone. */
export interface RequestReport extends Readonly<RequestContext> {
  /** As OpenTelemetry has it: `_OTHER` for a method that HTTP does not define. */
  readonly method: string;
  /** Such as `/api/auth/sessions/{id}`; `UNMATCHED_ROUTE` for a path that no endpoint serves. */
  readonly route: string;
  readonly status: number;
  /** Until the answer was there: of an event stream its beginning, not its end. */
  readonly durationMs: number;
  /** Why a browser has sent it without a proof of its device key, where it says so: `unreachable`, `server_error`, … */
  readonly skipped: string | null;
}

export type RequestSink = (report: RequestReport) => void;

export interface Observer {
  /** The id that a proxy has given to the request; null where it gets a new one here. */
  readonly requestId: (request: Request) => string | null;
  /** Must not throw. */
  readonly onRequest: RequestSink;
  readonly stopwatch: Stopwatch;
}

export const UNMATCHED_ROUTE = "unmatched";
export const REQUEST_ID_HEADER = "X-Request-Id";

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"]);
/** Visible, short, and nothing that means anything to a log, a shell or a page. */
const REQUEST_ID = /^[\w.:-]{8,128}$/;

/** Requests that an endpoint has begun to answer. An endpoint that hands its request on to another stays the one that reports. */
const begun = new WeakSet<Request>();

/** The handler, with an id for each request, which its answer and its log lines carry, and a report of each answer. */
export function observed(
  route: string,
  handler: Handler,
  { requestId, onRequest, stopwatch }: Observer,
): Handler {
  return async (request) => {
    if (begun.has(request)) return handler(request);
    begun.add(request);
    const startedAt = stopwatch();
    const context: RequestContext = {
      requestId: requestId(request) ?? randomUUID(),
      actorId: null,
      sessionId: null,
      code: null,
    };
    const response = await inRequest(context, () => handler(request));
    const method = METHODS.has(request.method) ? request.method : "_OTHER";
    onRequest({
      ...context,
      method,
      route,
      status: response.status,
      durationMs: stopwatch() - startedAt,
      skipped: skippedReason(request),
    });
    return withHeaders(response, (headers) => headers.set(REQUEST_ID_HEADER, context.requestId));
  };
}

/** `X-Request-Id`, where it looks like an id. For services behind a proxy of their own: anybody can send one. */
export function requestIdHeader(request: Request): string | null {
  const id = request.headers.get(REQUEST_ID_HEADER);
  return id !== null && REQUEST_ID.test(id) ? id : null;
}

/** An app may answer with a fetched response, whose headers cannot be changed. */
export function withHeaders(response: Response, change: (headers: Headers) => void): Response {
  try {
    change(response.headers);
    return response;
  } catch {
    const copy = new Response(response.body, response);
    change(copy.headers);
    return copy;
  }
}
