import { SessionError } from "../errors.ts";
import { requireJson } from "./accept.ts";
import {
  type Handler,
  type MethodHandlers,
  parameterReader,
  type RouteHandler,
  type RouteParameters,
} from "./handler.ts";
import { type Observer, observed, REQUEST_ID_HEADER } from "./observed.ts";
import { asProblem, isUnreportedFault, problemResponse } from "./problem.ts";

/** Told of each fault behind a 5xx that the engine has not reported. Never told of a refusal. */
export type FaultSink = (error: unknown) => void;

export interface EndpointOptions {
  /** Other origins may call it and read the answer; never with credentials. */
  readonly cors: boolean;
  /** `json`: requests that take no JSON are refused with 406, before a handler sees them. `any`: that is the handlers' own. */
  readonly answers: "json" | "any";
  readonly onFault: FaultSink;
  readonly observer: Observer;
}

const EXPOSED_HEADERS = `Retry-After, WWW-Authenticate, ${REQUEST_ID_HEADER}`;

/**
 * One endpoint out of one handler for each method, so that a framework can mount it for all of them: HEAD is GET
 * without the body, OPTIONS says what there is, anything else is 405. Every exception becomes a problem; none gets out.
 * `route`: the template of its path, for the handlers' parameters, for logs and for metrics.
 */
export function endpoint<Route extends string>(
  route: Route,
  handlers: MethodHandlers<RouteParameters<Route>>,
  options: EndpointOptions,
): Handler {
  const table = new Map<string, RouteHandler<RouteParameters<Route>>>(Object.entries(handlers));
  const parametersOf = parameterReader(route);
  const get = table.get("GET");
  if (get !== undefined) table.set("HEAD", get);
  const allow = [...table.keys(), "OPTIONS"].join(", ");

  async function answer(request: Request): Promise<Response> {
    if (request.method === "OPTIONS") return optionsResponse(allow, options.cors);
    const handler = table.get(request.method);
    if (handler !== undefined) {
      if (options.answers === "json") requireJson(request);
      return handler(request, parametersOf(new URL(request.url).pathname));
    }
    const refusal = problemResponse(
      new SessionError("method_not_allowed", `This endpoint answers to ${allow}.`),
    );
    refusal.headers.set("Allow", allow);
    return refusal;
  }

  async function answerOrProblem(request: Request): Promise<Response> {
    const response = await answer(request).catch((error) => faultResponse(error, options.onFault));
    if (options.cors) {
      response.headers.set("Access-Control-Allow-Origin", "*");
      response.headers.set("Access-Control-Expose-Headers", EXPOSED_HEADERS);
    }
    return withBodyFor(request, response);
  }
  return observed(route, answerOrProblem, options.observer);
}

/** An answer to HEAD has no body (RFC 9110 §9.3.2). */
export function withBodyFor(request: Request, response: Response): Response {
  return request.method === "HEAD" ? new Response(null, response) : response;
}

/** The problem for whatever was thrown, reported where it is a fault. */
export function faultResponse(error: unknown, onFault: FaultSink): Response {
  const problem = asProblem(error);
  if (isUnreportedFault(problem)) onFault(error);
  return problemResponse(problem);
}

function optionsResponse(allow: string, cors: boolean): Response {
  const headers = new Headers({ Allow: allow });
  if (cors) {
    headers.set("Access-Control-Allow-Methods", allow);
    headers.set(
      "Access-Control-Allow-Headers",
      "Content-Type, Authorization, Idempotency-Key, Session-Transport, Last-Event-ID",
    );
    headers.set("Access-Control-Max-Age", "600");
  }
  return new Response(null, { status: 204, headers });
}
