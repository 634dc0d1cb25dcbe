import type { LookupAddress, LookupAllOptions } from "node:dns";
import { Resolver } from "node:dns/promises";
import type { ClientRequest, IncomingMessage } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { BlockList, type LookupFunction } from "node:net";
import { isDomainName } from "./account.ts";
import { readAtMost } from "./read-at-most.ts";

/** SEP-1: a stellar.toml is at most this large. */
const TOML_MAX_BYTES = 100 * 1_024;
const RESOLVE_TIMEOUT_MS = 5_000;

type LookupAll = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: Error | null, addresses: LookupAddress[]) => void,
) => void;

/** What the resolver reaches out with; each part has a real default. */
export interface ClientDomainIo {
  readonly lookup?: LookupAll;
  readonly request?: (
    options: RequestOptions,
    onResponse: (response: IncomingMessage) => void,
  ) => ClientRequest;
  readonly isPublicAddress?: (address: LookupAddress) => boolean;
  readonly timeoutMs?: number;
}

/**
 * Finds a client domain's SIGNING_KEY in `https://DOMAIN/.well-known/stellar.toml` (SEP-1, SEP-10 "Verifying the Client
 * Domain"). The domain comes from anyone, so: https on its own port only, no redirects, nothing but public addresses,
 * decided on the address that is connected to, 100 KiB and 5 s at most.
 *
 * Does NOT cache, nor limit how often it is asked. Rejects with a plain Error on any failure.
 */
export function clientDomainKeyResolver(io: ClientDomainIo = {}): (domain: string) => Promise<string> {
  const request = io.request ?? httpsRequest;
  const lookup = publicOnly(io.lookup ?? lookupByDns, io.isPublicAddress ?? isPublicAddress);
  const timeoutMs = io.timeoutMs ?? RESOLVE_TIMEOUT_MS;

  return async (domain) => {
    // node:net asks no lookup for an address literal, so none may get that far.
    if (!isDomainName(domain)) throw new Error("not a domain name");
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const options: RequestOptions = {
        host: domain,
        path: "/.well-known/stellar.toml",
        headers: { accept: "text/plain, application/toml" },
        // A connection of its own: a pooled one would skip the lookup.
        agent: false,
        lookup,
        signal: AbortSignal.timeout(timeoutMs),
      };
      request(options, resolve).on("error", reject).end();
    });
    if (response.statusCode !== 200) {
      response.destroy();
      throw new Error(`stellar.toml was answered with status ${response.statusCode}`);
    }
    return signingKeyIn(await readAtMost(response, TOML_MAX_BYTES));
  };
}

/** The one SIGNING_KEY among a stellar.toml's top-level keys, which come before its first table. */
export function signingKeyIn(toml: string): string {
  const topLevel = toml.split(/^[ \t]*\[/m, 1)[0] ?? "";
  const lines = [
    ...topLevel.matchAll(/^[ \t]*SIGNING_KEY[ \t]*=[ \t]*(["'])(G[A-Z2-7]{55})\1[ \t]*(?:#.*)?\r?$/gm),
  ];
  const key = lines[0]?.[2];
  if (key === undefined || lines.length > 1) throw new Error("stellar.toml has not one SIGNING_KEY");
  return key;
}

const lookupByDns: LookupAll = (hostname, _options, callback) => {
  resolveAddresses(hostname).then(
    (addresses) => callback(null, addresses),
    (error: Error) => callback(error, []),
  );
};

/** Refuses a name as soon as one of its addresses is not public. */
function publicOnly(lookup: LookupAll, isPublic: (address: LookupAddress) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error !== null) callback(error, []);
      else if (first === undefined || !addresses.every(isPublic)) {
        callback(new Error("the domain has an address that is not public"), []);
      } else if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

/** Not globally reachable, by the IANA special-purpose registries (RFC 6890). */
const RESERVED = networks(
  "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24",
  "192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3",
  "2001::/23 2001:db8::/32 2002::/16 3fff::/20",
);

/** All of IPv6 that is given out to the public; loopback, private, mapped and translated addresses lie outside. */
const GLOBAL_UNICAST = networks("2000::/3");

function networks(...lists: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of lists.join(" ").split(" ")) {
    const [address = "", prefix] = network.split("/");
    list.addSubnet(address, Number(prefix), address.includes(":") ? "ipv6" : "ipv4");
  }
  return list;
}

/** Whether an address can belong to a server on the public internet. */
export function isPublicAddress({ address, family }: LookupAddress): boolean {
  if (family === 4) return !RESERVED.check(address, "ipv4");
  return family === 6 && GLOBAL_UNICAST.check(address, "ipv6") && !RESERVED.check(address, "ipv6");
}

const QUERY_TIMEOUT_MS = 2_000;

/**
 * The addresses of a name that anybody may have chosen, by DNS queries of its own. `dns.lookup` cannot be called off and
 * keeps one of libuv's few threads until the name's own servers answer, so a few names that never do would hold up
 * every other look-up of the process. Does NOT read the hosts file.
 *
 * `servers`: `address:port` of the DNS servers; the system's where it is left out.
 */
export async function resolveAddresses(name: string, servers?: readonly string[]): Promise<LookupAddress[]> {
  const resolver = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: 1 });
  if (servers !== undefined) resolver.setServers(servers);
  const [four, six] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  const addresses = [...answers(four, 4), ...answers(six, 6)];
  if (addresses.length === 0) throw new Error("the domain has no address");
  return addresses;
}

function answers(result: PromiseSettledResult<string[]>, family: 4 | 6): LookupAddress[] {
  return result.status === "fulfilled" ? result.value.map((address) => ({ address, family })) : [];
}
