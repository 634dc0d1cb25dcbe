const BOUNCE_PATH = "/api/auth/refresh";
/** Browsers read a backslash as a slash and skip control characters, so neither may be in a path that is checked. */
const DECEPTIVE = /[\\\p{Cc}]/u;

/** `next` as a path of this site; `/` for everything that leads elsewhere, is not a path, or leads back to the bounce. */
export function safeNextPath(next: string | null, publicUrl: URL): string {
  if (next === null || !next.startsWith("/") || DECEPTIVE.test(next)) return "/";
  const url = URL.parse(next, publicUrl);
  if (url === null || url.origin !== publicUrl.origin || url.pathname === BOUNCE_PATH) return "/";
  // Dots are resolved by now: `/.//host` has become `//host`, which as a path would name another host.
  return url.pathname.startsWith("//") ? "/" : `${url.pathname}${url.search}${url.hash}`;
}
