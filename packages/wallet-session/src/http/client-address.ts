import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";
import { parseIp } from "./ip-address.ts";

const PEER_HEADER = "x-wallet-session-peer";
const PUBLISHED = Symbol.for("wallet-session.peer-address");

/**
 * Makes the address of the socket visible to handlers that get a web `Request`, which has none: from now on every
 * request to a `node:http` server of this process carries it in the header `x-wallet-session-peer`, and whatever a
 * client sent under that name is gone. Call it once at start, before the first request; more calls change nothing.
 *
 * Does NOT reach HTTP/2 servers, nor servers in other processes.
 */
export function publishPeerAddress(): void {
  if (isPublished()) return;
  Object.assign(globalThis, { [PUBLISHED]: true });
  subscribe("http.server.request.start", (message) => {
    const { request } = message as { request: IncomingMessage };
    const peer = request.socket.remoteAddress ?? "";
    // Some frameworks read the parsed headers, others the raw ones.
    request.headers[PEER_HEADER] = peer;
    overwriteRaw(request.rawHeaders, peer);
  });
}

/**
 * The address that a request came from: the socket's peer, or, with proxies in front, the entry of X-Forwarded-For that the
 * outermost trusted one wrote. Entries further left are the client's own words. Null when it is not known: nothing
 * publishes the peer in this process, or the entry is no address.
 *
 * `trustedProxies`: how many proxies in front append to X-Forwarded-For.
 */
export function peerAddress(request: Request, trustedProxies: number): string | null {
  // Without the publisher this header would be the client's own words too.
  if (!isPublished()) return null;
  const forwarded = trustedProxies > 0 ? (request.headers.get("x-forwarded-for") ?? "") : "";
  const chain = forwarded === "" ? [] : forwarded.split(",").map((entry) => entry.trim());
  chain.push(request.headers.get(PEER_HEADER) ?? "");
  const address = chain[Math.max(0, chain.length - 1 - trustedProxies)] ?? "";
  return parseIp(address) === null ? null : address;
}

function overwriteRaw(rawHeaders: string[], peer: string): void {
  let found = false;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() !== PEER_HEADER) continue;
    rawHeaders[at + 1] = peer;
    found = true;
  }
  if (!found) rawHeaders.push(PEER_HEADER, peer);
}

/** On `globalThis`, since a bundler may load this module more than once in one process. */
function isPublished(): boolean {
  return PUBLISHED in globalThis;
}
