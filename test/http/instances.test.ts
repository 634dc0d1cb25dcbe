// Two instances on one PostgreSQL and on one Redis, both used at once over a network that cuts connections. What was asked
// and answered is checked afterwards. test/long/instances.test.ts does the same with four, and kills them and their store.
import { afterAll, beforeAll, describe, test } from "vitest";
import { expectKept, untilUsed } from "../support/instances/expect-kept.ts";
import { withInstances } from "../support/instances/instances.ts";
import { STORES, type StoreServer } from "../support/instances/store-servers.ts";

const WALLETS = 12;
/** Sessions that end under the load. */
const ENDINGS = 10;

describe.each(STORES)("on one $name", ({ name, startServer, openStore }) => {
  let server: StoreServer;

  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server?.remove());

  test("two instances keep every promise under one load", async () => {
    const installation = await withInstances(2, { DATABASE_URL: server.url }, WALLETS, (used) =>
      untilUsed(used, ENDINGS),
    );
    await expectKept(`${name}, 2 instances`, installation, openStore(server.url));
  });
});
