import type { LookupAddress } from "node:dns";
import { Resolver } from "node:dns/promises";

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
