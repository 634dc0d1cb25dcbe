import { newRetryCookie, readJar } from "../request/cookies.ts";
import { seeOther } from "../response.ts";
import { BOUNCE_PATH } from "./next-path.ts";

/** A longer path of a page is not named in the way back to it: it stands there twice, escaped, in one header line. */
export const PAGE_PATH_MAX_CHARS = 1_024;

export interface SignInPath {
  /** The page that signs people in, such as `/sign-in`. It gets `?next=` and must not be guarded itself. */
  readonly signInPath: string;
}

/**
 * The way of a page load without a good access token: through the bounce and back, or to the sign-in page where there
 * is no session any more. So a guarded page and the bounce never redirect in a loop.
 *
 * `path`: the page's own, with its query. One that is too long to be named twice in a URL is dropped.
 */
export function bounceUrl(path: string, { signInPath }: SignInPath): string {
  const next = path.length > PAGE_PATH_MAX_CHARS ? "/" : path;
  const signIn = `${signInPath}?${new URLSearchParams({ next })}`;
  return `${BOUNCE_PATH}?${new URLSearchParams({ next, else: signIn })}`;
}

/**
 * Sends a page load there. The retry key is set before the first send, and only where the jar holds none, so that a load
 * that loses the answer retries with the same key. Without an origin: behind a proxy the request's own is not the one
 * that browsers see.
 */
export function bounceRedirect(request: Request, options: SignInPath): Response {
  const { pathname, search } = new URL(request.url);
  return seeOther(bounceUrl(pathname + search, options), holdsNoRetryKey(request) ? [newRetryCookie()] : []);
}

function holdsNoRetryKey(request: Request): boolean {
  try {
    return readJar(request).retryKey === null;
  } catch {
    // A jar with a doubled cookie is the bounce's to refuse.
    return false;
  }
}
