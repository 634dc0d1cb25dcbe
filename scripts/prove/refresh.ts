// The refresh conformance suite, against this service and, where asked, against others from npm.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Adapter,
  jsonOf,
  junitOf,
  runConformance,
  tableOf,
} from "../../packages/refresh-conformance/src/index.ts";
import { REFRESH_KINDS } from "../../packages/wallet-session/test/refresh-adapter.ts";
import { startRefreshService } from "../../test/support/refresh-service.ts";
import type { Part, Proof } from "./part.ts";
import { PEERS, startPeer } from "./peers.ts";

type Options = Parameters<Part>[0];

export const refreshOfOurs: Part = async (options) => {
  const proofs: Proof[] = [];
  for (const kind of REFRESH_KINDS) {
    const { adapter, url, stop } = await startRefreshService(kind);
    proofs.push(await proveOne({ adapter, url, ours: true }, options).finally(stop));
  }
  return proofs;
};

export const refreshOfOthers: Part = async (options) => {
  const proofs: Proof[] = [];
  for (const peer of PEERS) {
    const { adapter, url, stop } = await startPeer(peer);
    proofs.push(await proveOne({ adapter, url, ours: false }, options).finally(stop));
  }
  return proofs;
};

async function proveOne(
  { adapter, url, ours }: { adapter: Adapter; url: string; ours: boolean },
  { tell, out }: Options,
): Promise<Proof> {
  const results = await runConformance({ adapter });
  tell(`${tableOf(adapter, url, results)}\n`);
  if (out !== null) {
    const file = join(out, adapter.server.replace(/\W+/g, "-"));
    writeFileSync(`${file}.json`, `${jsonOf(adapter, url, results)}\n`);
    writeFileSync(`${file}.xml`, junitOf(adapter, results));
  }
  const failed = results.filter(({ status }) => status === "fails" || status === "error");
  return {
    what: `refresh: ${adapter.server}`,
    tried: results.reduce((sum, { finding }) => sum + (finding?.tried ?? 0), 0),
    failed: failed.map(({ scenario }) => scenario.name),
    ours,
  };
}
