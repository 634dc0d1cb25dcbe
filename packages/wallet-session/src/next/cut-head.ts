import type { IncomingMessage } from "node:http";
import { trimmed } from "../http/request/cookies.ts";
import { COOKIE_NAMES_KEPT, COOKIE_NAMES_MAX, QUERY_PAIRS_MAX, USER_AGENT_MAX_CHARS } from "../limits.ts";

/**
 * Cuts what Next reads in more time than its length: the patterns that it runs over `User-Agent`, the parameters of the
 * query, and the names of cookies each cost it the square of their number. A request within the limits stays as it is.
 * `ours`: the names of cookies that are kept, whatever stands beside them.
 */
export function cutHead(request: IncomingMessage, ours: ReadonlySet<string>): void {
  const { "user-agent": userAgent, cookie } = request.headers;
  if (userAgent !== undefined && userAgent.length > USER_AGENT_MAX_CHARS) {
    replaceHeader(request, "user-agent", userAgent.slice(0, USER_AGENT_MAX_CHARS));
  }
  if (cookie !== undefined && placeAfter(cookie, ";", COOKIE_NAMES_MAX) !== -1) {
    replaceHeader(request, "cookie", withFewerNames(cookie, ours));
  }
  if (request.url !== undefined) request.url = withFewerPairs(request.url);
}

function withFewerPairs(url: string): string {
  const query = url.indexOf("?");
  const end = query === -1 ? -1 : placeAfter(url, "&", QUERY_PAIRS_MAX, query);
  return end === -1 ? url : url.slice(0, end);
}

/** Repeated names stay: they cost nothing more, and whose cookies they are may show in their values alone. */
function withFewerNames(header: string, ours: ReadonlySet<string>): string {
  const others = new Set<string>();
  const kept: string[] = [];
  for (const piece of header.split(";")) {
    const at = piece.indexOf("=");
    const name = trimmed(at === -1 ? piece : piece.slice(0, at));
    if (!ours.has(name)) {
      if (others.size === COOKIE_NAMES_KEPT && !others.has(name)) continue;
      others.add(name);
    }
    // Without the blanks around the name, with which Next would take it for another one.
    kept.push(at === -1 ? name : name + piece.slice(at));
  }
  return kept.join("; ");
}

/** Where the sign stands for the `count`th time; -1 where it stands there less often. */
function placeAfter(text: string, sign: string, count: number, from = -1): number {
  let at = from;
  for (let seen = 0; seen < count; seen++) {
    at = text.indexOf(sign, at + 1);
    if (at === -1) return -1;
  }
  return at;
}

/** In the parsed headers, which Next reads, and in the raw ones, where the first line gets the value and the others go. */
function replaceHeader(request: IncomingMessage, name: "user-agent" | "cookie", value: string): void {
  request.headers[name] = value;
  const raw: string[] = [];
  let written = false;
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const [rawName = "", rawValue = ""] = request.rawHeaders.slice(index, index + 2);
    const replaced = rawName.toLowerCase() === name;
    if (!replaced || !written) raw.push(rawName, replaced ? value : rawValue);
    written ||= replaced;
  }
  request.rawHeaders = raw;
}
