import { SessionError } from "../errors.ts";
import { asSessionError, isUnreportedFault, problemResponse } from "./problem.ts";

export type Handler = (request: Request) => Promise<Response>;

/** Told what was answered with a 5xx and the engine has not reported. Never told of a refusal. */
export type FaultSink = (error: unknown) => void;

export interface EndpointOptions {
  /** Other origins may call it and read the answer; never with credentials. */
  readonly cors: boolean;
  readonly onFault: FaultSink;
}

type Method = "GET" | "POST" | "DELETE";

/**
 * One endpoint out of one handler for each method, so that a framework can mount it for all of them: HEAD is GET
 * without the body, OPTIONS says what there is, anything else is 405. Every exception becomes a problem; none gets out.
 */
export function endpoint(handlers: Partial<Record<Method, Handler>>, options: EndpointOptions): Handler {
  const table = new Map<string, Handler>(Object.entries(handlers));
  const get = table.get("GET");
  if (get !== undefined) table.set("HEAD", get);
  const allow = [...table.keys(), "OPTIONS"].join(", ");

  async function answer(request: Request): Promise<Response> {
    if (request.method === "OPTIONS") return optionsResponse(allow, options.cors);
    const handler = table.get(request.method);
    if (handler !== undefined) return handler(request);
    const refusal = problemResponse(
      new SessionError("method_not_allowed", `This endpoint answers to ${allow}.`),
    );
    refusal.headers.set("Allow", allow);
    return refusal;
  }

  return async (request) => {
    const response = await answer(request).catch((error) => faultResponse(error, options.onFault));
    if (options.cors) {
      response.headers.set("Access-Control-Allow-Origin", "*");
      response.headers.set("Access-Control-Expose-Headers", "Retry-After, WWW-Authenticate");
    }
    return withBodyFor(request, response);
  };
}

/** An answer to HEAD has no body (RFC 9110 §9.3.2). */
export function withBodyFor(request: Request, response: Response): Response {
  return request.method === "HEAD" ? new Response(null, response) : response;
}

/** The problem for whatever was thrown, reported where it is a fault. */
export function faultResponse(error: unknown, onFault: FaultSink): Response {
  const problem = asSessionError(error);
  if (isUnreportedFault(problem)) onFault(error);
  return problemResponse(problem);
}

function optionsResponse(allow: string, cors: boolean): Response {
  const headers = new Headers({ Allow: allow });
  if (cors) {
    headers.set("Access-Control-Allow-Methods", allow);
    headers.set(
      "Access-Control-Allow-Headers",
      "Content-Type, Authorization, Idempotency-Key, Session-Transport",
    );
    headers.set("Access-Control-Max-Age", "600");
  }
  return new Response(null, { status: 204, headers });
}
