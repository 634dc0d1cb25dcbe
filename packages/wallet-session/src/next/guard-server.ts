import { subscribe } from "node:diagnostics_channel";
import { type IncomingMessage, Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { systemStopwatch } from "../clock.ts";
import { addressOf } from "../config/address.ts";
import { cookieNames } from "../cookie-names.ts";
import { everyInterval } from "../engine/timers.ts";
import { HTTP_KEEP_ALIVE_MS } from "../limits.ts";
import { boundConsole } from "./bound-console.ts";
import { cutHead } from "./cut-head.ts";
import { ServerConnections } from "./server-connections.ts";

const GUARDED = Symbol.for("wallet-session.next-server-guarded");
/** What a server has that nobody told anything. */
const NODE_KEEP_ALIVE_MS = new Server().keepAliveTimeout;
/** The copies of this module share one global object. */
const shared = globalThis as { [GUARDED]?: true };

/**
 * Keeps strangers from stopping the Next server of this process, and from filling its log: see {@link cutHead},
 * {@link ServerConnections} and {@link boundConsole}. Lets it keep idle connections for longer than proxies do, unless it was
 * told how long. It reaches the server through Node's diagnostics channels, since Next hands out neither the server nor a
 * request that it has not parsed yet. More calls change nothing. `env` is read at the first request.
 */
export function guardNextServer(env: Environment): void {
  if (shared[GUARDED]) return;
  shared[GUARDED] = true;
  boundConsole(console, everyInterval);
  let names: ReadonlySet<string> | undefined;
  const cut = (request: IncomingMessage) => {
    names ??= namesOf(env);
    cutHead(request, names);
  };
  const known = new WeakMap<Server, ServerConnections>();

  function connectionsOf(server: Server): ServerConnections {
    const found = known.get(server);
    if (found !== undefined) return found;
    if (server.keepAliveTimeout === NODE_KEEP_ALIVE_MS) server.keepAliveTimeout = HTTP_KEEP_ALIVE_MS;
    const connections = new ServerConnections(server, {
      stopwatch: systemStopwatch,
      every: everyInterval,
      onUpgrade: cut,
    });
    server.once("close", () => known.delete(server));
    known.set(server, connections);
    return connections;
  }

  subscribe("net.server.socket", (message) => {
    const { socket } = message as { socket: Socket & { readonly server?: unknown } };
    if (socket.server instanceof Server) connectionsOf(socket.server).opened(socket);
  });
  subscribe("http.server.request.start", (message) => {
    const { request, response, server } = message as HttpRequestStart;
    cut(request);
    // Not one of TLS: the other channel does not tell of its sockets.
    if (server instanceof Server) connectionsOf(server).asked(request, response);
  });
}

type Environment = Readonly<Record<string, string | undefined>>;

/** None where the settings are not good: such a server has no sessions, and its requests are cut all the same. */
function namesOf(env: Environment): ReadonlySet<string> {
  try {
    return new Set(Object.values(cookieNames(addressOf(env).cookieName)));
  } catch {
    return new Set();
  }
}

interface HttpRequestStart {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly server: unknown;
}
