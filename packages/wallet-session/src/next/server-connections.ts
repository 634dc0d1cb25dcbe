import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Stopwatch } from "../clock.ts";
import type { Every } from "../engine/timers.ts";
import {
  HTTP_BODY_MIN_BYTES_PER_SECOND,
  HTTP_HEADERS_TIMEOUT_MS,
  HTTP_REQUEST_TIMEOUT_MS,
  NEXT_CONNECTIONS_CHECK_MS,
} from "../limits.ts";

export interface ServerConnectionsOptions {
  readonly stopwatch: Stopwatch;
  readonly every: Every;
  /** Gets the request of each upgrade before the server does: no other channel tells of it. */
  readonly onUpgrade: (request: IncomingMessage) => void;
}

interface Connection {
  /** The latest request, when it began, and what the socket had read by then. */
  request: IncomingMessage | null;
  requestAt: number;
  requestAtBytes: number;
  answering: number;
  /** What the socket had read when its last request was done: more is the next head. */
  doneAtBytes: number;
  headAt: number | null;
  /** Since when an upgrade waits for an answer, and what the socket had written by then. */
  upgrade: { readonly at: number; readonly writtenBytes: number } | null;
}

const HEAD_TOO_LATE = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n";

/**
 * Ends the connections of a server that wait for their client too long: half a head, a body that comes more slowly than any
 * network, and an upgrade that nobody answers, which Next leaves open for ever. Once the server is told to close, nothing that
 * is not being answered holds it up.
 *
 * A body may take as long as it likes as long as it comes: an app may take large uploads.
 */
export class ServerConnections {
  readonly #server: Server;
  readonly #stopwatch: Stopwatch;
  readonly #onUpgrade: (request: IncomingMessage) => void;
  readonly #open = new Map<Socket, Connection>();
  #seesUpgrades = false;

  constructor(server: Server, { stopwatch, every, onUpgrade }: ServerConnectionsOptions) {
    this.#server = server;
    this.#stopwatch = stopwatch;
    this.#onUpgrade = onUpgrade;
    const stop = every(NEXT_CONNECTIONS_CHECK_MS, async () => this.#check());
    server.once("close", stop);
  }

  /** Each new connection. */
  opened(socket: Socket): void {
    this.#connectionOf(socket);
    this.#seeUpgrades();
  }

  /** Each request, before it is answered. */
  asked(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const connection = this.#connectionOf(socket);
    connection.request = request;
    connection.requestAt = this.#stopwatch();
    connection.requestAtBytes = socket.bytesRead;
    connection.headAt = null;
    connection.answering += 1;
    const done = () => {
      connection.doneAtBytes = socket.bytesRead;
      connection.headAt = null;
    };
    request.once("close", done);
    response.once("close", () => {
      connection.answering -= 1;
      done();
    });
  }

  #connectionOf(socket: Socket): Connection {
    const known = this.#open.get(socket);
    if (known !== undefined) return known;
    const connection: Connection = {
      request: null,
      requestAt: 0,
      requestAtBytes: 0,
      answering: 0,
      doneAtBytes: 0,
      headAt: null,
      upgrade: null,
    };
    this.#open.set(socket, connection);
    socket.once("close", () => this.#open.delete(socket));
    return connection;
  }

  /** A server without a listener takes an upgrade for an ordinary request, so this must not be the first one. */
  #seeUpgrades(): void {
    if (this.#seesUpgrades || this.#server.listenerCount("upgrade") === 0) return;
    this.#seesUpgrades = true;
    this.#server.prependListener("upgrade", (request: IncomingMessage, socket: Socket) => {
      this.#onUpgrade(request);
      this.#connectionOf(socket).upgrade = { at: this.#stopwatch(), writtenBytes: socket.bytesWritten };
    });
  }

  #check(): void {
    const now = this.#stopwatch();
    const closing = !this.#server.listening;
    for (const [socket, connection] of this.#open) {
      if (connection.upgrade !== null) this.#checkUpgrade(socket, connection.upgrade, closing, now);
      else if (connection.request?.complete === false) checkBody(socket, connection, connection.request, now);
      else if (connection.answering > 0) continue;
      else if (closing) socket.destroySoon();
      else checkHead(socket, connection, now);
    }
  }

  #checkUpgrade(
    socket: Socket,
    { at, writtenBytes }: { readonly at: number; readonly writtenBytes: number },
    closing: boolean,
    now: number,
  ): void {
    // Answered: it is no affair of HTTP's any more.
    if (socket.bytesWritten > writtenBytes) this.#open.delete(socket);
    else if (closing || now - at >= HTTP_HEADERS_TIMEOUT_MS) socket.destroy();
  }
}

function checkHead(socket: Socket, connection: Connection, now: number): void {
  if (socket.bytesRead <= connection.doneAtBytes) return;
  connection.headAt ??= now;
  if (now - connection.headAt < HTTP_HEADERS_TIMEOUT_MS) return;
  socket.write(HEAD_TOO_LATE);
  socket.destroySoon();
}

function checkBody(socket: Socket, connection: Connection, request: IncomingMessage, now: number): void {
  // Where nobody reads it, the client has to wait.
  if (request.readableLength >= request.readableHighWaterMark) return;
  const arrived = socket.bytesRead - connection.requestAtBytes;
  const allowedMs = HTTP_REQUEST_TIMEOUT_MS + (arrived * 1_000) / HTTP_BODY_MIN_BYTES_PER_SECOND;
  if (now - connection.requestAt >= allowedMs) socket.destroy();
}
