export type { Adapter, Claims, CreateAdapter, OptionalStep, RefreshAnswer, Tokens, Use } from "./adapter.ts";
export type { Finding } from "./finding.ts";
export { jsonOf, junitOf, summaryOf, tableOf } from "./report.ts";
export { hasFailed, type RunOptions, runConformance } from "./run.ts";
export type { Result, Scenario, Status } from "./scenario.ts";
export { SCENARIOS } from "./scenarios/index.ts";
export { sqliteHooks } from "./sqlite-hooks.ts";
export type { Effort } from "./stage.ts";
