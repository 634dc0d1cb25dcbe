import { SessionError } from "../errors.ts";
import { requireJson } from "./accept.ts";
import {
  type Handler,
  type MethodHandlers,
  parameterReader,
  type RouteHandler,
  type RouteParameters,
} from "./handler.ts";
import { type Observer, observed, REQUEST_ID_HEADER, withHeaders } from "./observed.ts";
import { asProblem, type ErrorForm, isUnreportedFault, problemResponse } from "./problem.ts";

/** Told of each fault behind a 5xx that the engine has not reported. Never told of a refusal. */
export type FaultSink = (error: unknown) => void;

export interface EndpointOptions {
  /** Any origin may call it and read the answer, without credentials. */
  readonly cors: boolean;
  /** These may, and with credentials. */
  readonly trustedOrigins: readonly string[];
  /** `json`: requests that take no JSON are refused with 406, before a handler sees them. `any`: that is the handlers' own. */
  readonly answers: "json" | "any";
  /** @default "problem" */
  readonly errors?: ErrorForm;
  readonly onFault: FaultSink;
  readonly observer: Observer;
}

const EXPOSED_HEADERS = `Retry-After, WWW-Authenticate, DPoP-Nonce, Session-Cookies, ${REQUEST_ID_HEADER}`;

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

  async function answer(request: Request, reader: string | null): Promise<Response> {
    if (request.method === "OPTIONS") return optionsResponse(request, allow, reader);
    const handler = table.get(request.method);
    if (handler !== undefined) {
      if (options.answers === "json") requireJson(request);
      return handler(request, parametersOf(new URL(request.url).pathname));
    }
    const refusal = problemResponse(
      new SessionError("method_not_allowed", `This endpoint answers to ${allow}.`),
      options.errors,
    );
    refusal.headers.set("Allow", allow);
    return refusal;
  }

  async function answerOrProblem(request: Request): Promise<Response> {
    const reader = readerOf(request, options);
    const response = await answer(request, reader).catch((error) =>
      faultResponse(error, options.onFault, options.errors),
    );
    return withBodyFor(request, withCors(response, reader, options.trustedOrigins.length > 0));
  }
  return observed(route, answerOrProblem, options.observer);
}

/** An answer to HEAD has no body (RFC 9110 §9.3.2). */
export function withBodyFor(request: Request, response: Response): Response {
  return request.method === "HEAD" ? new Response(null, response) : response;
}

/** The problem for whatever was thrown, reported where it is a fault. */
export function faultResponse(error: unknown, onFault: FaultSink, form?: ErrorForm): Response {
  const problem = asProblem(error);
  if (isUnreportedFault(problem)) onFault(error);
  return problemResponse(problem, form);
}

/** The origin whose page may read the answer, `*` for any, null for none but the service's own. */
function readerOf({ headers }: Request, { cors, trustedOrigins }: EndpointOptions): string | null {
  const origin = headers.get("origin");
  if (origin !== null && trustedOrigins.includes(origin)) return origin;
  return cors ? "*" : null;
}

/** `varies`: another origin may get another answer. */
function withCors(response: Response, reader: string | null, varies: boolean): Response {
  if (reader === null && !varies) return response;
  return withHeaders(response, (headers) => {
    if (varies) headers.append("Vary", "Origin");
    if (reader === null) return;
    headers.set("Access-Control-Allow-Origin", reader);
    headers.set("Access-Control-Expose-Headers", EXPOSED_HEADERS);
    if (reader !== "*") headers.set("Access-Control-Allow-Credentials", "true");
  });
}

function optionsResponse(request: Request, allow: string, reader: string | null): Response {
  const headers = new Headers({ Allow: allow });
  if (reader !== null) {
    headers.set("Access-Control-Allow-Methods", allow);
    headers.set("Access-Control-Allow-Headers", [...ALLOWED_HEADERS, ...otherHeaders(request)].join(", "));
    headers.set("Access-Control-Max-Age", "600");
  }
  return new Response(null, { status: 204, headers });
}

const ALLOWED_HEADERS = [
  "Content-Type",
  "Authorization",
  "DPoP",
  "Step-Up",
  "Idempotency-Key",
  "Session-Transport",
  "Session-Binding",
  "Last-Event-ID",
];
const OTHER_HEADERS_MAX = 32;
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]{1,64}$/;

/** What else a preflight asks for, such as headers that trace a request: they open nothing. */
function otherHeaders({ headers }: Request): string[] {
  const asked = (headers.get("access-control-request-headers") ?? "").split(",", OTHER_HEADERS_MAX);
  return asked.map((name) => name.trim()).filter((name) => HEADER_NAME.test(name));
}
