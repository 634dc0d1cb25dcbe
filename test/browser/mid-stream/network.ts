import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";

export interface SeenRequest {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  /** Says that it waits for an event stream. */
  readonly isForEvents: boolean;
  /** When it came by, by the machine's clock, in milliseconds. */
  readonly at: number;
  /** Of the answer that it got, from whomever; null while there is none, or none is to come any more. */
  status: number | null;
  /** Nothing more of it goes over the line: it was answered to the end, or the connection broke. */
  isOver: boolean;
}

/** One request on its way, and all that can become of it. */
interface Exchange {
  readonly request: SeenRequest;
  /** Hands the request on to the server; resolves when its answer begins. */
  forward(): Promise<IncomingMessage>;
  deliver(answer: IncomingMessage): void;
  /** The answer of somebody who is not the server. */
  interject(status: number, headers: Record<string, string>, body: string): void;
  /** Breaks the connection without a word. */
  cut(): void;
}

export type Mishap = (exchange: Exchange) => Promise<void>;

/** One browser's way to the server: real connections, which a test can spoil for it alone. */
export interface Line {
  /** What a browser sends along with each request, to be told from others. */
  readonly headers: Readonly<Record<string, string>>;
  /** Every request that has come by, oldest first. */
  readonly seen: readonly SeenRequest[];
  /** What becomes of the requests that match, from now until the function returned is called. The newest one decides. */
  meddle(matches: (request: SeenRequest) => boolean, mishap: Mishap): () => void;
  /** Breaks all connections there are now. */
  cut(): void;
}

export interface Network {
  /** Where browsers find the server. */
  readonly url: string;
  /** A line for one more browser. */
  line(): Line;
  close(): Promise<void>;
}

interface OpenLine extends Line {
  take(incoming: IncomingMessage, outgoing: ServerResponse): void;
}

const HOST = "127.0.0.1";
const LINE = "x-test-line";

/** A network between browsers and a server that may be named late. */
export async function openNetwork(serverAddress: () => string): Promise<Network> {
  const lines: OpenLine[] = [];
  const proxy = createServer((incoming, outgoing) => {
    const line = lines[Number(incoming.headers[LINE])];
    if (line === undefined) outgoing.destroy();
    else line.take(incoming, outgoing);
  });
  await new Promise<void>((resolve, reject) => {
    proxy.once("error", reject).listen(0, HOST, resolve);
  });
  const address = proxy.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://localhost:${address.port}`,
    line() {
      const line = openLine(lines.length, serverAddress);
      lines.push(line);
      return line;
    },
    async close() {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}

function openLine(number: number, serverAddress: () => string): OpenLine {
  const seen: SeenRequest[] = [];
  const underWay = new Set<ServerResponse>();
  const meddlings: { matches: (request: SeenRequest) => boolean; mishap: Mishap }[] = [];
  return {
    headers: { [LINE]: String(number) },
    seen,
    meddle(matches, mishap) {
      const meddling = { matches, mishap };
      meddlings.push(meddling);
      return () => void meddlings.splice(meddlings.indexOf(meddling), 1);
    },
    cut() {
      for (const outgoing of underWay) outgoing.destroy();
    },
    take(incoming, outgoing) {
      const request = seenRequest(incoming);
      seen.push(request);
      underWay.add(outgoing);
      outgoing.once("close", () => {
        underWay.delete(outgoing);
        request.isOver = true;
      });
      const mishap = meddlings.findLast(({ matches }) => matches(request))?.mishap ?? delivered;
      const exchange = exchangeOf(request, incoming, outgoing, serverAddress);
      // A server that is not there is met as such: the connection breaks.
      mishap(exchange).catch(() => exchange.cut());
    },
  };
}

function seenRequest({ method = "GET", url = "/", headers }: IncomingMessage): SeenRequest {
  return {
    method,
    path: new URL(url, "http://server").pathname,
    isForEvents: headers.accept === "text/event-stream",
    at: Date.now(),
    status: null,
    isOver: false,
  };
}

function exchangeOf(
  seen: SeenRequest,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  serverAddress: () => string,
): Exchange {
  return {
    request: seen,
    forward: () =>
      new Promise((resolve, reject) => {
        const { method, url = "/", headers } = incoming;
        // A connection of its own each time: none is left over from a server that has gone.
        const upstream = request(new URL(url, serverAddress()), {
          method,
          headers,
          agent: false,
        });
        upstream.once("response", resolve).once("error", reject);
        outgoing.once("close", () => upstream.destroy());
        incoming.pipe(upstream);
      }),
    deliver(answer) {
      // A server that dies while it speaks.
      answer.once("error", () => outgoing.destroy()).once("aborted", () => outgoing.destroy());
      if (outgoing.destroyed) return;
      seen.status = answer.statusCode ?? null;
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      outgoing.flushHeaders();
      answer.pipe(outgoing);
    },
    interject(status, headers, body) {
      incoming.resume();
      seen.status = status;
      outgoing.writeHead(status, headers).end(body);
    },
    cut: () => outgoing.destroy(),
  };
}

const delivered: Mishap = async ({ forward, deliver }) => deliver(await forward());

/** The server has done what it was asked, and nobody hears of it. */
export const answerLost: Mishap = async ({ forward, cut }) => {
  const answer = await forward();
  await new Promise((resolve) => answer.resume().once("end", resolve));
  cut();
};

/** No connection at all. */
export const unreachable: Mishap = async ({ cut }) => cut();

/** The server has done what it was asked; its answer arrives when `released` resolves. */
export function answerHeld(released: Promise<void>): Mishap {
  return async ({ forward, deliver }) => {
    const answer = await forward();
    await released;
    deliver(answer);
  };
}

/** A page of somebody in between, as of a captive portal (200) or a proxy that wants a password (401). */
export function strangersPage(status: number): Mishap {
  return async ({ interject }) => {
    const headers = { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-cache" };
    interject(status, headers, "<!doctype html><title>Welcome</title><h1>Accept our terms to go on</h1>");
  };
}
