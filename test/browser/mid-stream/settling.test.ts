// A settlement that outlives an access token. test/long/browser-long-watches.test.ts does the same with 1,000 payment streams.
import { expect, test } from "vitest";
import { ACCESS_TTL_MS, midStream } from "./mid-stream.ts";
import { settleAll } from "./settle-all.ts";

const here = midStream({ SETTLEMENTS_PER_SECOND: "6" });

test("60 streams are settled for longer than an access token lives, and each is settled once", async () => {
  const { tookMs, renewals } = await settleAll(here, 60);
  expect(tookMs).toBeGreaterThan(ACCESS_TTL_MS);
  expect(renewals).toBeGreaterThanOrEqual(1);
});
