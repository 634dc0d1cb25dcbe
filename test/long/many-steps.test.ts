// Operations of 1,000 and of 10,000 payment streams, while others go on refreshing their sessions on the same database.
import { expect, test } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";
import { settleMany } from "../support/settle-many.ts";
import { settlementsOf } from "../support/streams.ts";

const app = appUnderTest(() => ({ SETTLEMENTS_PER_SECOND: "1000", LOG_LEVEL: "warn" }));

test("1,000 streams, to the end", async () => {
  const { ids, id, operation, refreshes } = await settleMany(
    app,
    1_000,
    ({ status }) => status === "completed",
  );
  expect(operation).toMatchObject({ total: 1_000, done: 1_000, skipped: 0 });
  expect(settlementsOf(app.server, id, ids)).toEqual(ids.map(() => 1));
  expect(refreshes).toBeGreaterThan(0);
});

test("10,000 streams are accepted, begun and cancelled", async () => {
  const many = await settleMany(app, 10_000, ({ done }) => Number(done) >= 500);
  expect(many.refreshes).toBeGreaterThan(0);
  const { json } = await app.client.send("POST", `${many.path}/cancel`, { headers: many.headers });
  expect(json).toMatchObject({ status: "cancelled", total: 10_000 });
});
