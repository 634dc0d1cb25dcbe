import fc from "fast-check";
import { expect, test } from "vitest";
import { clientNetwork, parseIp, truncatedIp } from "./ip-address.ts";

function networksOf(text: string): { truncated: string; network: string } | null {
  const ip = parseIp(text);
  return ip === null ? null : { truncated: truncatedIp(ip), network: clientNetwork(ip) };
}

test.each([
  ["203.0.113.77", "203.0.113.0", "203.0.113.77"],
  ["::ffff:203.0.113.77", "203.0.113.0", "203.0.113.77"],
  ["::FFFF:cb00:714d", "203.0.113.0", "203.0.113.77"],
  ["0:0:0:0:0:ffff:203.0.113.77", "203.0.113.0", "203.0.113.77"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1::", "2001:db8:1:2::"],
  ["2001:0DB8:0001:0002::6", "2001:db8:1::", "2001:db8:1:2::"],
  ["2001:db8::", "2001:db8::", "2001:db8::"],
  ["2001:db8::192.0.2.1", "2001:db8::", "2001:db8::"],
  ["fe80::1%eth0", "fe80::", "fe80::"],
  ["::1", "::", "::"],
  ["::", "::", "::"],
])("%s is of the network %s and counts as %s", (text, truncated, network) => {
  expect(networksOf(text)).toEqual({ truncated, network });
});

test.each([
  "",
  "localhost",
  "1.2.3",
  "1.2.3.4.5",
  "1.2.3.256",
  "01.2.3.4",
  "1.2.3.4:80",
  "[::1]",
  ":::",
  "g::",
])("%j is no address", (text) => {
  expect(parseIp(text)).toBeNull();
});

test("addresses that share their first 64 bits are one client, others are not", () => {
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      const ip = parseIp(text);
      if (ip?.version !== 6) return;
      expect(ip.groups).toHaveLength(8);
      const written = ip.groups.map((group) => group.toString(16));
      const neighbour = parseIp([...written.slice(0, 4), "a", "b", "c", "d"].join(":"));
      const stranger = parseIp([...written.slice(0, 3), written[3] === "1" ? "2" : "1", "0:0:0:0"].join(":"));
      if (neighbour === null || stranger === null) throw new Error("not read back");
      expect(clientNetwork(neighbour)).toBe(clientNetwork(ip));
      expect(clientNetwork(stranger)).not.toBe(clientNetwork(ip));
      expect(truncatedIp(stranger)).toBe(truncatedIp(ip));
    }),
  );
});
