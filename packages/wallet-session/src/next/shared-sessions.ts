import { isDeepStrictEqual } from "node:util";
import { createSessions, type Sessions, type SessionsOptions } from "../server/sessions.ts";
import { guardNextServer } from "./guard-server.ts";

const SHARED = Symbol.for("wallet-session.sessions");
/** The copies of this module share one global object. */
const shared = globalThis as {
  [SHARED]?: { readonly sessions: Sessions; readonly options: SessionsOptions };
};

/**
 * The sessions of this process, as {@link createSessions} makes them. The first call makes them, and every later call
 * returns the same ones until they are closed. Next needs this: it loads one module as several copies, for pages, routes and
 * the instrumentation, and each copy would open the store again.
 *
 * Functions are not compared, since each copy of a module brings its own: the first call's are used.
 * @throws Error for other options than those of the first call: others are given, or another `env` or `basePath`
 *
 * @example
 * ```ts
 * import { sessionGuard, sharedSessions } from "wallet-session/next";
 *
 * export const sessions = sharedSessions();
 * export const guard = sessionGuard(sessions, { signInPath: "/sign-in" });
 * ```
 */
export function sharedSessions(options: SessionsOptions = {}): Sessions {
  guardNextServer(options.env ?? process.env);
  const first = shared[SHARED];
  if (first !== undefined) {
    if (sameOptions(first.options, options)) return first.sessions;
    throw new Error(
      "sharedSessions: this process has sessions with other options. Call it in one module, or close them first.",
    );
  }
  const sessions = createSessions(options);
  const { close } = sessions;
  shared[SHARED] = { sessions, options };
  return Object.assign(sessions, {
    async close() {
      if (shared[SHARED]?.sessions === sessions) delete shared[SHARED];
      await close();
    },
  });
}

function sameOptions(one: SessionsOptions, other: SessionsOptions): boolean {
  return isDeepStrictEqual(comparable(one), comparable(other));
}

function comparable({ env, basePath, audience, ...functions }: SessionsOptions) {
  return { env: { ...env }, basePath, audience, given: new Set(Object.keys(functions)) };
}
