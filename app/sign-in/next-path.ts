import { sitePath } from "wallet-session/client";

/** Where people go who have signed in with no page in mind. */
const HOME = "/streams";

/** `next` as a path of this site, for a person who has just signed in; `/streams` for anything else. */
export function pathAfterSignIn(next: string | undefined): string {
  const path = sitePath(next) ?? "/";
  return /^\/(?:$|[?#]|sign-in(?:$|[?#])|api\/)/.test(path) ? HOME : path;
}

/** The sign-in page, from where one comes back to `path`. */
export function signInPath(path: string): string {
  return `/sign-in?next=${encodeURIComponent(path)}`;
}
