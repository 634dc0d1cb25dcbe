// @ts-check
// node scripts/run.mjs NAME [ARGUMENT…]: installs what is missing, then runs scripts/NAME.ts under the pinned Node. Until then
// everything must run on Node 18 and without a single package: on a fresh clone that is all there is.
import { continueUnderPinnedNode, ensureInstalled } from "./setup/installed.mjs";

process.env.NEXT_TELEMETRY_DISABLED = "1";
await ensureInstalled();
await continueUnderPinnedNode();
const [name] = process.argv.splice(2, 1);
await import(`./${name}.ts`);
