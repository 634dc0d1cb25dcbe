import type { ServerResponse } from "node:http";
import type { AuthenticatedSession } from "../engine/session-engine.ts";
import { SessionError } from "../errors.ts";
import { isError } from "../foreign-errors.ts";
import type { Handler } from "../http/handler.ts";
import type { Handlers } from "../http/handlers.ts";
import type { GuardPageOptions } from "../http/pages/guard-page.ts";
import type { Sessions } from "../server/sessions.ts";
import { type NodeRequest, toHead, toRequest, urlOf } from "./incoming.ts";
import { writeResponse } from "./outgoing.ts";

/** What answers the requests of `node:http`. */
export interface WebService {
  /** Must not reject. */
  readonly fetch: Handler;
  /** The answer to what was thrown before there was a `Request`. */
  readonly problem: (error: unknown) => Response;
  /** Where browsers reach the service: requests name it, whatever their `Host` says. */
  readonly origin: string;
}

/** Answers a request of `node:http`, whatever has read its body before. */
export async function answer(
  { fetch, problem, origin }: WebService,
  incoming: NodeRequest,
  outgoing: ServerResponse,
): Promise<void> {
  const request = await toRequest(incoming, outgoing, origin).catch((error) => {
    if (error instanceof SessionError) return problem(error);
    if (!isError(error) || error.name !== "TypeError") throw error;
    return problem(new SessionError("invalid_request", "There is no such request here."));
  });
  const response = request instanceof Response ? request : await fetch(request);
  // A body that nobody has begun to read would hold up the next request on its connection.
  if (request instanceof Response || !request.bodyUsed) incoming.removeAllListeners("data").resume();
  await writeResponse(outgoing, response);
}

/** A handler of `node:http`, and a middleware of Express and its like. Never rejects. */
export type NodeHandler = (
  request: NodeRequest,
  response: ServerResponse,
  next?: (error?: unknown) => void,
) => Promise<void>;

/** The part of {@link Sessions} that serves requests. */
type Served = Pick<Sessions, "config" | "fetch" | "handlers" | "start">;

/**
 * All endpoints for servers with `(request, response)`: `node:http`, Express, Fastify, Koa. Requests to other paths go on to
 * `next`; where there is none, they are 404. It takes a body that a parser in front of it has read from `request.body`, and the
 * path from `request.originalUrl`, where a router has cut its prefix from `request.url`.
 *
 * With `next`, a path that lacks how `basePath` begins counts only below a prefix: `app.use("/api/auth", handler)`.
 *
 * The first request starts the sessions. What prevents that for good goes to `next`, or ends the connection.
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { nodeHandler } from "wallet-session/node";
 * import { createSessions } from "wallet-session/server";
 *
 * createServer(nodeHandler(createSessions())).listen(3000);
 * ```
 */
export function nodeHandler(sessions: Served): NodeHandler {
  return async (incoming, outgoing, next) => {
    try {
      const { fetch, handlers, config } = sessions;
      const { origin } = config.publicUrl;
      if (next !== undefined && !serves(handlers, incoming, origin)) return next();
      await answer({ fetch, problem: handlers.problem, origin }, incoming, outgoing);
    } catch (error) {
      if (next === undefined || outgoing.headersSent || incoming.errored) outgoing.destroy();
      else next(error);
    }
  };
}

/** Where no router has cut a prefix, it sees the app's own paths, too: the end of the base path alone is none of ours. */
function serves(handlers: Handlers, incoming: NodeRequest, origin: string): boolean {
  const { originalUrl, url } = incoming;
  const whole = originalUrl === undefined || originalUrl === url;
  try {
    return handlers.serves(new URL(urlOf(incoming, origin)).pathname, { whole });
  } catch {
    // It names no path, as `OPTIONS *` does not.
    return false;
  }
}

/**
 * The guard for the routes of such a server. See `Handlers.guard`, which decides.
 * @throws SessionError as `Handlers.guard`
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { nodeGuard, nodeHandler } from "wallet-session/node";
 * import { createSessions } from "wallet-session/server";
 *
 * const sessions = createSessions();
 * const [handler, guard] = [nodeHandler(sessions), nodeGuard(sessions)];
 *
 * createServer((request, response) =>
 *   handler(request, response, async () => {
 *     const session = await guard(request).catch(() => null);
 *     response.writeHead(session === null ? 401 : 200).end(session?.actorId);
 *   }),
 * ).listen(3000);
 * ```
 */
export function nodeGuard(
  sessions: Served,
): (request: NodeRequest, options?: { fresh?: boolean }) => Promise<AuthenticatedSession> {
  return async (incoming, options) => {
    await sessions.start();
    return sessions.handlers.guard(toHead(incoming, sessions.config.publicUrl.origin), options);
  };
}

/**
 * The guard for the pages of such a server. See `Handlers.guardPage`, which decides. Resolves with null where it has answered
 * with a redirect.
 * @throws SessionError as `Handlers.guardPage`
 * @example
 * ```ts
 * import express from "express";
 * import { nodeHandler, nodePageGuard } from "wallet-session/node";
 * import { createSessions } from "wallet-session/server";
 *
 * const sessions = createSessions();
 * const guardPage = nodePageGuard(sessions, { signInPath: "/sign-in" });
 *
 * const app = express().use(nodeHandler(sessions));
 * app.get("/account", async (request, response) => {
 *   const who = await guardPage(request, response);
 *   if (who !== null) response.send(who.actorId);
 * });
 * ```
 */
export function nodePageGuard(
  sessions: Served,
  options: GuardPageOptions,
): (request: NodeRequest, response: ServerResponse) => Promise<AuthenticatedSession | null> {
  return async (incoming, outgoing) => {
    await sessions.start();
    const head = toHead(incoming, sessions.config.publicUrl.origin);
    const found = await sessions.handlers.guardPage(head, options);
    if (!(found instanceof Response)) return found;
    await writeResponse(outgoing, found);
    return null;
  };
}
