// A settlement that outlives access tokens. test/long/browser-long-watches.test.ts does the same with 1,000 payment streams.
import { expect, test } from "vitest";
import { midStream } from "./mid-stream.ts";
import { settleAll } from "./settle-all.ts";

const here = midStream({ ACCESS_TOKEN_TTL: "4s", REFRESH_LEEWAY: "1s", SETTLEMENTS_PER_SECOND: "6" });

test("60 streams are settled for two lifetimes of an access token, and each is settled once", async () => {
  const { tookMs, renewals } = await settleAll(here, 60);
  expect(tookMs).toBeGreaterThan(2 * 4_000);
  expect(renewals).toBeGreaterThanOrEqual(1);
});
