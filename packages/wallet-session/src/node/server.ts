import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Server as NetServer, type Socket } from "node:net";
import {
  HTTP_HEADER_MAX_BYTES,
  HTTP_HEADERS_TIMEOUT_MS,
  HTTP_KEEP_ALIVE_MS,
  HTTP_REQUEST_TIMEOUT_MS,
  HTTP_TIMEOUTS_CHECK_MS,
} from "../limits.ts";
import { answer, type WebService } from "./handler.ts";

/** A `node:http` server in front of a web handler. */
export interface NodeServer {
  /** Resolves with the port once it listens. @throws what the system says, such as EADDRINUSE */
  listen(port: number, host: string): Promise<number>;

  /**
   * Takes no new connection, ends the idle ones, and resolves when what is being answered has been. What is left after
   * `withinMs` is cut off. Returns whether all of it ended by itself. Event streams end by themselves only if the code that serves
   * them ends them.
   */
  stop(withinMs: number): Promise<boolean>;
}

/** `headers`: of every answer that does not say otherwise. */
export function createNodeServer(
  service: WebService & { readonly headers?: Readonly<Record<string, string>> },
): NodeServer {
  const headers = new Map(Object.entries(service.headers ?? {}));
  const server = createServer(
    {
      maxHeaderSize: HTTP_HEADER_MAX_BYTES,
      headersTimeout: HTTP_HEADERS_TIMEOUT_MS,
      requestTimeout: HTTP_REQUEST_TIMEOUT_MS,
      keepAliveTimeout: HTTP_KEEP_ALIVE_MS,
      connectionsCheckingInterval: HTTP_TIMEOUTS_CHECK_MS,
    },
    (incoming, outgoing) => {
      answer(service, incoming, outgoing.setHeaders(headers)).catch(() => outgoing.destroy());
    },
  );
  const connections = new Connections(server);
  return {
    listen: (port, host) => listen(server, port, host),
    stop: (withinMs) => stop(server, connections, withinMs),
  };
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      const address = server.address();
      resolve(address !== null && typeof address === "object" ? address.port : port);
    });
  });
}

async function stop(server: Server, connections: Connections, withinMs: number): Promise<boolean> {
  let cut = false;
  // That of `node:http` would cut off answers that are on their way: see Connections.
  const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()));
  const limit = setTimeout(() => {
    cut = true;
    connections.destroy();
  }, withinMs);
  connections.drain();
  await closed;
  clearTimeout(limit);
  return !cut;
}

/**
 * The connections of a server, and what is being answered on each. Node's own `closeIdleConnections` takes one for idle whose
 * answer was ended but is still on its way to a slow reader, and does not take one for idle on which nothing has come yet.
 */
class Connections {
  readonly #answers = new Map<Socket, Set<ServerResponse>>();
  #draining = false;

  constructor(server: Server) {
    server.on("connection", (socket: Socket) => {
      this.#answers.set(socket, new Set());
      socket.once("close", () => this.#answers.delete(socket));
    });
    server.prependListener("request", ({ socket }: IncomingMessage, answer: ServerResponse) => {
      this.#answers.get(socket)?.add(answer);
      if (this.#draining) answer.shouldKeepAlive = false;
      // Whether it is out, or its reader is gone.
      answer.once("close", () => {
        this.#answers.get(socket)?.delete(answer);
        if (this.#draining) this.#endIdle(socket);
      });
    });
  }

  /** Ends those on which nothing is being answered, and from now on each as soon as that is so. */
  drain(): void {
    this.#draining = true;
    for (const [socket, answers] of this.#answers) {
      // An answer whose head is not out yet can still tell its client.
      for (const answer of answers) answer.shouldKeepAlive = false;
      this.#endIdle(socket);
    }
  }

  /** Cuts off all. */
  destroy(): void {
    for (const socket of this.#answers.keys()) socket.destroy();
  }

  #endIdle(socket: Socket): void {
    if (this.#answers.get(socket)?.size === 0) socket.destroySoon();
  }
}
