import { subscribe } from "node:diagnostics_channel";
import { type IncomingMessage, Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { systemStopwatch } from "../clock.ts";
import { everyInterval } from "../engine/timers.ts";
import { ACCESS_COOKIE, REFRESH_COOKIE, RETRY_COOKIE } from "../http/request/cookies.ts";
import { cutHead } from "./cut-head.ts";
import { ServerConnections } from "./server-connections.ts";

const GUARDED = Symbol.for("wallet-session.next-server-guarded");
/** The copies of this module share one global object. */
const shared = globalThis as { [GUARDED]?: true };
const OURS: ReadonlySet<string> = new Set([ACCESS_COOKIE, REFRESH_COOKIE, RETRY_COOKIE]);

/**
 * Keeps strangers from stopping the Next server of this process: see {@link cutHead} and {@link ServerConnections}. It reaches
 * the server through Node's diagnostics channels, since Next hands out neither the server nor a request that it has not parsed
 * yet. More calls change nothing.
 */
export function guardNextServer(): void {
  if (shared[GUARDED]) return;
  shared[GUARDED] = true;
  const known = new WeakMap<Server, ServerConnections>();

  function connectionsOf(server: Server): ServerConnections {
    const connections =
      known.get(server) ??
      new ServerConnections(server, {
        stopwatch: systemStopwatch,
        every: everyInterval,
        onUpgrade: (request) => cutHead(request, OURS),
      });
    if (!known.has(server)) server.once("close", () => known.delete(server));
    known.set(server, connections);
    return connections;
  }

  subscribe("net.server.socket", (message) => {
    const { socket } = message as { socket: Socket & { readonly server?: unknown } };
    if (socket.server instanceof Server) connectionsOf(socket.server).opened(socket);
  });
  subscribe("http.server.request.start", (message) => {
    const { request, response, server } = message as HttpRequestStart;
    cutHead(request, OURS);
    // Not one of TLS: the other channel does not tell of its sockets.
    if (server instanceof Server) connectionsOf(server).asked(request, response);
  });
}

interface HttpRequestStart {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly server: unknown;
}
