import { randomUUID } from "node:crypto";
import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";
import { parseIp } from "./ip-address.ts";

/** The header's name in this process. On `globalThis`, since a bundler may load this module more than once. */
const PEER_HEADER = Symbol.for("wallet-session.peer-address");
const shared = globalThis as { [PEER_HEADER]?: string };

/**
 * Makes the address of the socket visible to handlers that get a web `Request`, which has none: from now on every
 * request to a `node:http` server of this process carries it in a header. The header's name is new in each process and
 * cannot be guessed from outside, so no header of a client is taken for it, also in a request that was there before.
 * Call it once at start; more calls change nothing. Of requests that began before it the address is not known.
 *
 * Does NOT reach HTTP/2 servers, nor servers in other processes.
 */
export function publishPeerAddress(): void {
  if (shared[PEER_HEADER] !== undefined) return;
  const name = `x-wallet-session-peer-${randomUUID()}`;
  shared[PEER_HEADER] = name;
  subscribe("http.server.request.start", (message) => {
    const { request } = message as { request: IncomingMessage };
    const peer = request.socket.remoteAddress ?? "";
    // Some frameworks read the parsed headers, others the raw ones.
    request.headers[name] = peer;
    request.rawHeaders.push(name, peer);
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
  const name = shared[PEER_HEADER];
  if (name === undefined) return null;
  const forwarded = trustedProxies > 0 ? (request.headers.get("x-forwarded-for") ?? "") : "";
  const chain = forwarded === "" ? [] : forwarded.split(",").map((entry) => entry.trim());
  chain.push(request.headers.get(name) ?? "");
  const address = addressOf(chain[Math.max(0, chain.length - 1 - trustedProxies)] ?? "");
  return parseIp(address) === null ? null : address;
}

/** The address of an entry as proxies write it: quoted, with a port, IPv6 in brackets, as in `Forwarded` (RFC 7239 §6). */
function addressOf(entry: string): string {
  const node = entry
    .replace(/;.*$/, "")
    .replace(/^for=/i, "")
    .replace(/^"(.*)"$/, "$1");
  const [, ipv6, ipv4] = /^(?:\[([^\]]*)\]|([\d.]+))(?::[\w.-]*)?$/.exec(node) ?? [];
  return ipv6 ?? ipv4 ?? node;
}
