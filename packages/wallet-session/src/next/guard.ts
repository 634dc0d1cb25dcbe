// By their files: the package must load under bare Node as well, where `next/navigation` is not found by that name and
// `next/navigation.js` is what Next gives to the browser. Servers get this one, whatever it is called by.
import { redirect } from "next/dist/client/components/navigation.react-server.js";
import { cookies } from "next/headers.js";
import { authPaths } from "../auth-paths.ts";
import type { AuthenticatedSession, SessionEngine } from "../engine/session-engine.ts";
import type { Handlers } from "../http/handlers.ts";
import { bounceUrl, type SignInPath } from "../http/pages/guard-page.ts";
import { isGuardRefusal } from "../http/problem.ts";
import { authenticateBearer } from "../http/request/authorization.ts";
import { asBrowsersSee, asRedirected } from "./base-path.ts";

interface GuardOptions {
  /** See {@link SessionEngine.authenticate}. */
  readonly fresh?: boolean;
}

/** Who is asking, for server components and server actions. Verifies the access cookie by itself, each time. */
export interface SessionGuard {
  /**
   * Null where there is no good access cookie; nothing is renewed.
   * @throws SessionError store_unavailable - a fault is never "nobody"
   */
  session(options?: GuardOptions): Promise<AuthenticatedSession | null>;

  /**
   * The session, or a redirect to the bounce and from there back to `path`, or to the sign-in page where there is no
   * session any more. `path`: where the page is, with its query, with or without Next's `basePath`; a component is not told.
   * Like `redirect` of Next it ends the render by throwing: do not catch it.
   * @throws SessionError store_unavailable
   */
  require(path: string, options?: GuardOptions): Promise<AuthenticatedSession>;
}

/**
 * The guard of pages and actions. `sessions` is what {@link sharedSessions} gave, or anything that holds an engine and
 * handlers; it is read at the first request, not before. A route asks `handlers.guard` instead, which also takes bearer tokens.
 *
 * Does NOT check where an action was sent from: Next does, by `Origin`.
 *
 * @example
 * ```ts
 * import { sessionGuard, sharedSessions } from "wallet-session/next";
 *
 * const guard = sessionGuard(sharedSessions(), { signInPath: "/sign-in" });
 *
 * export default async function AccountPage() {
 *   const { actorId } = await guard.require("/account");
 *   return actorId;
 * }
 * ```
 */
export function sessionGuard(
  sessions: {
    readonly engine: Pick<SessionEngine, "authenticate">;
    readonly handlers: Pick<Handlers, "cookieNames" | "basePath">;
  },
  options: SignInPath,
): SessionGuard {
  async function session(guardOptions: GuardOptions = {}): Promise<AuthenticatedSession | null> {
    const accessToken = (await cookies()).get(sessions.handlers.cookieNames.access)?.value;
    if (!accessToken) return null;
    try {
      return await authenticateBearer(sessions.engine, accessToken, guardOptions);
    } catch (error) {
      if (isGuardRefusal(error)) return null;
      throw error;
    }
  }
  function bounceOf(path: string): string {
    const { refresh } = authPaths(sessions.handlers.basePath);
    return bounceUrl(refresh, asBrowsersSee(path), { signInPath: asBrowsersSee(options.signInPath) });
  }
  return {
    session,
    require: async (path, guardOptions) =>
      (await session(guardOptions)) ?? redirect(asRedirected(bounceOf(path))),
  };
}
