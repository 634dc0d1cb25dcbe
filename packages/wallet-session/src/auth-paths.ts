/** Where the auth endpoints are unless something else is said. */
export const AUTH_BASE_PATH = "/api/auth";

const BASE_PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)+$/;
const BASE_PATH_MAX_CHARS = 128;

export type AuthPaths = ReturnType<typeof authPaths>;

/**
 * The paths of the auth endpoints, as browsers see them.
 * @throws RangeError for a base path that is none, or that could be spelled in another way
 */
export function authPaths(basePath: string) {
  if (!BASE_PATH.test(basePath) || basePath.length > BASE_PATH_MAX_CHARS) {
    throw new RangeError(
      `must be a path such as ${AUTH_BASE_PATH}, of at most ${BASE_PATH_MAX_CHARS} letters, digits and -._~, without a slash at its end`,
    );
  }
  return {
    base: basePath,
    wallet: `${basePath}/wallet`,
    refresh: `${basePath}/refresh`,
    logout: `${basePath}/logout`,
    session: `${basePath}/session`,
    sessions: `${basePath}/sessions`,
    sessionById: `${basePath}/sessions/{id}`,
    alarms: `${basePath}/alarms`,
    events: `${basePath}/events`,
    token: `${basePath}/token`,
    revoke: `${basePath}/revoke`,
    introspect: `${basePath}/introspect`,
    deviceRegister: `${basePath}/device/register`,
    deviceRefresh: `${basePath}/device/refresh`,
  } as const;
}
