import { isIP } from "node:net";

/** An address in its one normal form: IPv4 as such, also where it came mapped into IPv6; IPv6 as its eight groups. */
export type IpAddress =
  | { readonly version: 4; readonly text: string }
  | { readonly version: 6; readonly groups: readonly number[] };

const MAPPED_IPV4 = /^(?:0:){5}ffff:([0-9a-f]+):([0-9a-f]+)$/;

/** Null for anything that is no address. An IPv6 zone is dropped. */
export function parseIp(text: string): IpAddress | null {
  const [address = ""] = text.split("%");
  switch (isIP(address)) {
    case 4:
      return { version: 4, text: address };
    case 6:
      return normalIpv6(expandGroups(address));
    default:
      return null;
  }
}

/** The part that may be stored and shown: the network of a device, not the device. /24 of IPv4, /48 of IPv6. */
export function truncatedIp(ip: IpAddress): string {
  if (ip.version === 4) return ip.text.replace(/\d+$/, "0");
  return networkOf(ip.groups, 3);
}

/** One client, for rate limits: an IPv4 address, or the /64 of IPv6, of which one client can use every address. */
export function clientNetwork(ip: IpAddress): string {
  return ip.version === 4 ? ip.text : networkOf(ip.groups, 4);
}

function networkOf(groups: readonly number[], kept: number): string {
  const prefix = groups.slice(0, kept).map((group) => group.toString(16));
  while (prefix.at(-1) === "0") prefix.pop();
  return `${prefix.join(":")}::`;
}

function normalIpv6(groups: number[]): IpAddress {
  const mapped = MAPPED_IPV4.exec(groups.map((group) => group.toString(16)).join(":"));
  if (mapped === null) return { version: 6, groups };
  const bytes = groups.slice(6).flatMap((group) => [group >> 8, group & 0xff]);
  return { version: 4, text: bytes.join(".") };
}

/** The eight groups of a valid IPv6 address. */
function expandGroups(address: string): number[] {
  // As a URL writes it: without a part in decimal.
  const hex = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = [], tail = []] = hex.split("::").map((side) => side.split(":").filter(Boolean));
  const gap = new Array<string>(8 - head.length - tail.length).fill("0");
  return [...head, ...gap, ...tail].map((group) => Number.parseInt(group, 16));
}
