import { sitePath } from "../../site-path.ts";

export const BOUNCE_PATH = "/api/auth/refresh";

/** `next` as a path of this site; `/` for everything that leads elsewhere, is not a path, or leads back to the bounce. */
export function safeNextPath(next: string | null): string {
  const path = sitePath(next) ?? "/";
  return /^[^?#]*/.exec(path)?.[0] === BOUNCE_PATH ? "/" : path;
}
