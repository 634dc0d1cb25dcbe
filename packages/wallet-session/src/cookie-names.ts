const LOOPBACK = /^http(s?):\/\/(?:(?:.+\.)?localhost|127\.[\d.]+|\[::1\])(?::(\d+))?$/;

/** The port of an origin on this machine itself; empty for any other origin, and for text that is none. */
export function loopbackPort(origin: string): string {
  const match = LOOPBACK.exec(origin);
  return match ? (match[2] ?? (match[1] ? "443" : "80")) : "";
}

/**
 * The names of a service's cookies. The prefixes are promises that browsers enforce: over TLS only, and `__Host-` for this
 * host alone, so that no neighbour domain can write one.
 */
export interface CookieNames {
  readonly access: string;
  /** Sent to the auth endpoints alone, so pages and the app's own routes never see it. `__Host-` would need `Path=/`. */
  readonly refresh: string;
  /** The id of the session that this jar was signed in to. */
  readonly session: string;
  /** The retry key of the jar. A script or a redirect sets it when it is absent; the answer with new tokens deletes it. */
  readonly retry: string;
}

/**
 * The names that `COOKIE_NAME` makes.
 * @example
 * ```ts
 * import { cookieNames } from "wallet-session/http";
 *
 * console.log(cookieNames("ws").access); // __Host-ws_access
 * ```
 */
export function cookieNames(name: string): CookieNames {
  return {
    access: `__Host-${name}_access`,
    refresh: `__Secure-${name}_refresh`,
    session: `__Host-${name}_session`,
    retry: retryCookieName(name),
  };
}

/** Alone, for the browser's client, which writes no other cookie. */
export function retryCookieName(name: string): string {
  return `__Host-${name}_retry`;
}

/**
 * `COOKIE_NAME` where it is not set, by the origin at which browsers know the service. Cookies know no ports, so two services
 * on one machine would share a jar: there the port is part of the name.
 */
export function defaultCookieName(origin: string): string {
  return `ws${loopbackPort(origin)}`;
}
