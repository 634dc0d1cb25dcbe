// @ts-check
// npm run bench: the benchmarks, as ratios measured in one run.
import { prepare } from "./setup/prepare.mjs";

await prepare();
await import("../bench/run.ts");
