import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { SessionError } from "../errors.ts";
import { SIGN_IN_BODY_MAX_BYTES } from "../limits.ts";

/** A request of `node:http`, with what frameworks and body parsers put on it. */
export interface NodeRequest extends IncomingMessage {
  /** The target as it came, where a router has cut a prefix from `url`. */
  readonly originalUrl?: string;
  /** What a parser has made of the body. */
  readonly body?: unknown;
  /** The body as it came, which some keep beside it. */
  readonly rawBody?: unknown;
}

/** Fastify has read a body before its handlers run, and keeps it from the raw request. */
const ofFastify = new WeakMap<object, { readonly body?: unknown }>();
subscribe("tracing:fastify.request.handler:start", (message) => {
  const { request } = message as { request: { readonly raw: IncomingMessage; readonly body?: unknown } };
  ofFastify.set(request.raw, request);
});

/**
 * The web `Request` of a `node:http` one. Its signal aborts when the client is gone before its answer is.
 *
 * A body whose length is known and that some endpoint would take is read before, since a body of bytes costs a fraction of a
 * stream. Any other one is a stream, so that it is refused before it has been read.
 * @param origin what paths are added to; the `Host` header is not asked
 * @throws TypeError for what cannot be a `Request`, such as the methods that fetch forbids
 * @throws SessionError internal_error where something has read the body and not left it
 */
export async function toRequest(
  incoming: NodeRequest,
  outgoing: ServerResponse,
  origin: string,
): Promise<Request> {
  const gone = new AbortController();
  outgoing.once("close", () => {
    if (!outgoing.writableFinished) gone.abort();
  });
  const { method = "GET" } = incoming;
  const headers = headersOf(incoming.rawHeaders);
  const bodyless = method === "GET" || method === "HEAD";
  const body = bodyless
    ? null
    : incoming.readableDidRead
      ? leftBody(incoming, headers)
      : await bodyOf(incoming);
  return new Request(urlOf(incoming, origin), {
    method,
    headers,
    body,
    signal: gone.signal,
    ...(body instanceof ReadableStream && { duplex: "half" as const }),
  });
}

/** The same without its body. @throws TypeError as {@link toRequest} */
export function toHead(incoming: NodeRequest, origin: string): Request {
  const { method = "GET", rawHeaders } = incoming;
  return new Request(urlOf(incoming, origin), { method, headers: headersOf(rawHeaders) });
}

/** A target may also be a whole URL (RFC 9112 §3.2.2). @throws TypeError for any other form */
export function urlOf({ originalUrl, url = "/" }: NodeRequest, origin: string): string {
  const target = originalUrl ?? url;
  if (target.startsWith("/")) return origin + target;
  const { pathname, search } = new URL(target);
  return origin + pathname + search;
}

/** Repeated ones are joined by `Headers` itself: two `Authorization` lines are no token any more. */
function headersOf(raw: readonly string[]): Headers {
  const headers = new Headers();
  for (let index = 0; index < raw.length; index += 2) {
    headers.append(raw[index] ?? "", raw[index + 1] ?? "");
  }
  return headers;
}

/**
 * A body that a parser has read, as it would have come. An object of a form goes as JSON: in that too, a member that came
 * twice is no text.
 */
function leftBody(incoming: NodeRequest, headers: Headers): string | Uint8Array<ArrayBuffer> | null {
  const body = incoming.rawBody ?? incoming.body ?? ofFastify.get(incoming)?.body;
  if (typeof body === "string" || body === null) return body;
  if (body instanceof Uint8Array) return new Uint8Array(body);
  if (body === undefined) {
    throw new SessionError("internal_error", "The body was read before, and is not in the request's `body`.");
  }
  if (/^application\/x-www-form-urlencoded\b/i.test(headers.get("content-type") ?? "")) {
    headers.set("content-type", "application/json");
  }
  return JSON.stringify(body);
}

function bodyOf(incoming: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> | ReadableStream | null {
  const { "content-length": length, "transfer-encoding": encoding } = incoming.headers;
  if (encoding === undefined && (length === undefined || length === "0")) return null;
  if (encoding === undefined && Number(length) <= SIGN_IN_BODY_MAX_BYTES) return readWhole(incoming);
  return Readable.toWeb(incoming) as ReadableStream;
}

function readWhole(incoming: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  return new Promise((resolve, reject) => {
    if (incoming.destroyed) reject(new Error("The client is gone."));
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.once("end", () => resolve(Buffer.concat(chunks)));
    incoming.once("error", reject);
  });
}
