// Two instances on one PostgreSQL and on one Redis, both used at once over a network that cuts connections. What was asked
// and answered is checked afterwards. test/long/instances.test.ts does the same with four, and kills them and their store.
import { afterAll, beforeAll, describe, test } from "vitest";
import { ALWAYS_HAPPENS, expectKept } from "../support/instances/expect-kept.ts";
import { untilHappened, withInstances } from "../support/instances/instances.ts";
import { STORES, type StoreServer } from "../support/instances/store-servers.ts";

const WALLETS = 12;
const GIVEN_UP_AFTER_MS = 60_000;

describe.each(STORES)("on one $name", ({ name, startServer, openStore }) => {
  let server: StoreServer;

  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server?.remove());

  test("two instances keep every promise under one load", async () => {
    const installation = await withInstances(2, { DATABASE_URL: server.url }, WALLETS, (used) =>
      untilHappened(used, ALWAYS_HAPPENS, GIVEN_UP_AFTER_MS),
    );
    await expectKept(`${name}, 2 instances`, installation, openStore(server.url));
  });
});
