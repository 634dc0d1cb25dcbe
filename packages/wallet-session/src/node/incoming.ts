import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { SIGN_IN_BODY_MAX_BYTES } from "../limits.ts";

/**
 * The web `Request` of a `node:http` one. Its signal aborts when the client is gone before its answer is.
 *
 * A body whose length is known and that some endpoint would take is read before, since a body of bytes costs a fraction of a
 * stream. Any other one is a stream, so that it is refused before it has been read.
 * @param origin what paths are added to; the `Host` header is not asked
 * @throws TypeError for what cannot be a `Request`, such as the methods that fetch forbids
 */
export async function toRequest(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  origin: string,
): Promise<Request> {
  const gone = new AbortController();
  outgoing.once("close", () => {
    if (!outgoing.writableFinished) gone.abort();
  });
  const { method = "GET" } = incoming;
  const bodyless = method === "GET" || method === "HEAD";
  const body = bodyless ? null : await bodyOf(incoming);
  return new Request(origin + pathOf(incoming.url ?? "/"), {
    method,
    headers: headersOf(incoming.rawHeaders),
    body,
    signal: gone.signal,
    ...(body instanceof ReadableStream && { duplex: "half" as const }),
  });
}

/** A target may also be a whole URL (RFC 9112 §3.2.2). @throws TypeError for any other form */
function pathOf(target: string): string {
  if (target.startsWith("/")) return target;
  const { pathname, search } = new URL(target);
  return pathname + search;
}

/** Repeated ones are joined by `Headers` itself: two `Authorization` lines are no token any more. */
function headersOf(raw: readonly string[]): Headers {
  const headers = new Headers();
  for (let index = 0; index < raw.length; index += 2) {
    headers.append(raw[index] ?? "", raw[index + 1] ?? "");
  }
  return headers;
}

function bodyOf(incoming: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> | ReadableStream | null {
  const { "content-length": length, "transfer-encoding": encoding } = incoming.headers;
  if (encoding === undefined && (length === undefined || length === "0")) return null;
  if (encoding === undefined && Number(length) <= SIGN_IN_BODY_MAX_BYTES) return readWhole(incoming);
  return Readable.toWeb(incoming) as ReadableStream;
}

function readWhole(incoming: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.once("end", () => resolve(Buffer.concat(chunks)));
    incoming.once("error", reject);
  });
}
