// The refresh conformance suite, in full, against `npx wallet-session serve` that is killed and started again.
import { expect, test } from "vitest";
import { runConformance, summaryOf } from "../../packages/refresh-conformance/src/index.ts";
import { REFRESH_KINDS } from "../../packages/wallet-session/test/refresh-adapter.ts";
import { startRefreshService } from "../support/refresh-service.ts";

test.each(REFRESH_KINDS)("all that is claimed of sessions by %s holds over HTTP", async (kind) => {
  const { adapter, stop } = await startRefreshService(kind);
  const results = await runConformance({ adapter }).finally(stop);
  const failed = results.filter(({ status }) => status === "fails" || status === "error");
  expect(failed.map(({ scenario, finding, why }) => [scenario.name, finding?.observed, why])).toEqual([]);
  expect(summaryOf(results)).toContain(", 0 not tried.");
});
