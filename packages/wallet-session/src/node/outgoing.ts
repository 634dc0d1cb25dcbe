import type { ServerResponse } from "node:http";

const EVENT_STREAM = "text/event-stream";

/**
 * Writes a web `Response`. Event streams go out as they come, no faster than their reader takes them; everything else is
 * whole first, and says how long it is. Resolves when it is handed over, also where the client has gone meanwhile.
 */
export async function writeResponse(outgoing: ServerResponse, response: Response): Promise<void> {
  const { status, headers, body } = response;
  const streams = body !== null && headers.get("content-type")?.startsWith(EVENT_STREAM);
  const bytes = body === null || streams ? null : Buffer.from(await response.arrayBuffer());
  outgoing.statusCode = status;
  // One by one, beside those that are there: middleware reads them, and may have set cookies of its own.
  headers.forEach((value, name) => {
    if (name === "set-cookie" || name === "vary") outgoing.appendHeader(name, value);
    else outgoing.setHeader(name, value);
  });
  if (bytes !== null) outgoing.setHeader("content-length", bytes.length);
  outgoing.writeHead(status);
  if (streams) await pour(body, outgoing);
  else await end(outgoing, bytes);
}

/**
 * The last of an answer. Where the connection ends with it, it goes out at once, but the end waits until the request has
 * come: what meets a closed connection is answered by a reset, and that takes along an answer that is not read yet (RFC
 * 9112 §9.6). The server's limit on the time of a request is the limit here.
 */
async function end(outgoing: ServerResponse, bytes: Buffer | null): Promise<void> {
  const { req: incoming, shouldKeepAlive } = outgoing;
  if (!shouldKeepAlive && !incoming.complete && !incoming.destroyed) {
    if (bytes === null) outgoing.flushHeaders();
    else outgoing.write(bytes);
    await new Promise<void>((resolve) => {
      incoming.once("end", resolve).once("close", resolve);
    });
    outgoing.end();
    return;
  }
  if (bytes === null) outgoing.end();
  else outgoing.end(bytes);
}

async function pour(body: ReadableStream<Uint8Array>, outgoing: ServerResponse): Promise<void> {
  const reader = body.getReader();
  const gone = () => void reader.cancel().catch(() => {});
  outgoing.once("close", gone);
  if (outgoing.destroyed) return gone();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      if (!outgoing.write(next.value)) await room(outgoing);
      if (outgoing.destroyed) return;
    }
    outgoing.end();
  } catch {
    // A stream that breaks off must not look like one that ended.
    outgoing.destroy();
  }
}

/** Resolves when there is room again, or nobody any more who would take it. */
function room(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      outgoing.off("drain", done).off("close", done);
      resolve();
    };
    outgoing.once("drain", done).once("close", done);
  });
}
