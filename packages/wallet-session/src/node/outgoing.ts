import type { ServerResponse } from "node:http";

const EVENT_STREAM = "text/event-stream";

/**
 * Writes a web `Response`. Event streams go out as they come, no faster than their reader takes them; everything else is
 * whole first, and says how long it is. Resolves when it is handed over, also where the client has gone meanwhile.
 */
export async function writeResponse(outgoing: ServerResponse, response: Response): Promise<void> {
  const headers = flat(response.headers);
  if (response.body === null) {
    outgoing.writeHead(response.status, headers);
    await end(outgoing, null);
    return;
  }
  if (response.headers.get("content-type")?.startsWith(EVENT_STREAM)) {
    outgoing.writeHead(response.status, headers);
    await pour(response.body, outgoing);
    return;
  }
  const bytes = Buffer.from(await response.arrayBuffer());
  outgoing.writeHead(response.status, [...headers, "content-length", String(bytes.length)]);
  await end(outgoing, bytes);
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

/** Names and values in turn; each cookie has a line of its own. */
function flat(headers: Headers): string[] {
  const list: string[] = [];
  headers.forEach((value, name) => {
    list.push(name, value);
  });
  return list;
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
