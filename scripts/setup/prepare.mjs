// @ts-check
import { ensureInstalled } from "./installed.mjs";
import { continueUnderPinnedNode } from "./pinned-node.mjs";

/**
 * What each command of this directory does first. Until it returns, everything here must run on Node 18 and without a
 * single package: on a fresh clone that is all there is.
 */
export async function prepare() {
  process.env.NEXT_TELEMETRY_DISABLED = "1";
  await ensureInstalled();
  await continueUnderPinnedNode();
}
