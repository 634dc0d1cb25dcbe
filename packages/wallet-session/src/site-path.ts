/** Browsers read a backslash as a slash and skip control characters, so neither may be in a path that is checked. */
const DECEPTIVE = /[\\\p{Cc}]/u;
/** Any origin: only whether the path leaves it is asked. */
const BASE = "https://here.invalid";

/**
 * `next`, as it came in a URL, as a path of this site that can be sent to as it is, with query and fragment. Null for
 * everything that leads elsewhere or is not a path: another site in any spelling, a script.
 */
export function sitePath(next: string | null | undefined): string | null {
  if (!next?.startsWith("/") || DECEPTIVE.test(next)) return null;
  let url: URL;
  try {
    url = new URL(next, BASE);
  } catch {
    return null;
  }
  // Dots are resolved by now: `/.//host` has become `//host`, which as a path would name another host.
  if (url.origin !== BASE || url.pathname.startsWith("//")) return null;
  return `${url.pathname}${url.search}${url.hash}`;
}
