import type { IncomingMessage } from "node:http";
import { trimmed } from "../http/request/cookies.ts";
import {
  COOKIES_MAX,
  HEADER_LINES_MAX,
  OTHER_COOKIES_KEPT,
  QUERY_PAIRS_MAX,
  URL_MAX_CHARS,
  USER_AGENT_MAX_CHARS,
  USER_AGENT_WORD_MAX_CHARS,
} from "../limits.ts";

/** How a whole URL begins. As a target it names the same path (RFC 9112 §3.2.2), and Next would redirect to that origin. */
const ORIGIN = /^https?:\/\/[^/?#]*\/?/i;

const LONG_WORD = new RegExp(`[\\w-]{${USER_AGENT_WORD_MAX_CHARS + 1}}`);

/**
 * Cuts what Next reads in more time than its length: the patterns that it runs over `User-Agent`, the parameters of the
 * query, and the names of cookies each cost it the square of their number. A request within the limits stays as it is.
 * `ours`: the names of cookies that are kept, whatever stands beside them.
 *
 * A head with too many lines, each of which Next copies several times, is refused as a whole: to leave some out would let the
 * sender choose which of a proxy's own lines get lost. So is an address that is too long, which Next decodes several times: cut
 * off in the middle it would be another one. And so is a target that names no path, which Next answers with 500.
 */
export function cutHead(request: IncomingMessage, ours: ReadonlySet<string>): void {
  if (request.rawHeaders.length > 2 * HEADER_LINES_MAX) {
    refuse(request);
    return;
  }
  const { "user-agent": userAgent, cookie } = request.headers;
  if (userAgent !== undefined) {
    const cut = cutUserAgent(userAgent);
    if (cut !== userAgent) replaceHeader(request, "user-agent", cut);
  }
  if (cookie !== undefined && placeAfter(cookie, ";", COOKIES_MAX) !== -1) {
    replaceHeader(request, "cookie", withFewerCookies(cookie, ours));
  }
  if (request.url === undefined) return;
  request.url = withFewerPairs(request.url.replace(ORIGIN, "/"));
  if (!request.url.startsWith("/") || request.url.length > URL_MAX_CHARS) refuse(request);
}

/** Without a Host, Node answers 400 by itself and ends the connection. That is so in HTTP/1.1 alone. */
function refuse(request: IncomingMessage): void {
  request.headers = {};
  request.rawHeaders = [];
  request.httpVersionMinor = 1;
}

function cutUserAgent(userAgent: string): string {
  const cut = userAgent.slice(0, USER_AGENT_MAX_CHARS);
  const at = cut.search(LONG_WORD);
  return at === -1 ? cut : cut.slice(0, at + USER_AGENT_WORD_MAX_CHARS);
}

function withFewerPairs(url: string): string {
  const query = url.indexOf("?");
  const end = query === -1 ? -1 : placeAfter(url, "&", QUERY_PAIRS_MAX, query);
  return end === -1 ? url : url.slice(0, end);
}

function withFewerCookies(header: string, ours: ReadonlySet<string>): string {
  let others = 0;
  const kept: string[] = [];
  for (const piece of header.split(";")) {
    const at = piece.indexOf("=");
    const name = trimmed(at === -1 ? piece : piece.slice(0, at));
    if (!ours.has(name)) {
      others += 1;
      if (others > OTHER_COOKIES_KEPT) continue;
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
