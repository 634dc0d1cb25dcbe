// Four instances on one PostgreSQL and on one Redis, all used at once over a network that cuts connections, while they and
// their store are killed, stopped and started again. What was asked and answered is checked afterwards.
import { performance } from "node:perf_hooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectKept, untilUsed } from "../support/instances/expect-kept.ts";
import {
  longest503,
  outcomes,
  untilAllServe,
  untilHappened,
  withInstances,
} from "../support/instances/instances.ts";
import { STORES, type StoreServer } from "../support/instances/store-servers.ts";

const WALLETS = 24;
/** Sessions that end under the load. */
const ENDINGS = 100;
/** On a busy machine too, each condition is met by then. */
const GIVEN_UP_AFTER_MS = 60_000;

describe.each(STORES)("on one $name", ({ name, startServer, openStore }) => {
  let server: StoreServer;

  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server?.remove());

  test("4 instances keep every promise under one load", async () => {
    const installation = await withInstances(4, { DATABASE_URL: server.url }, WALLETS, (used) =>
      untilUsed(used, ENDINGS),
    );
    await expectKept(`${name}, 4 instances`, installation, openStore(server.url));
  });

  test("instances and the store are killed, stopped and started again: 503 meanwhile, and nobody is signed out", async () => {
    const figures: string[] = [];
    const settings = { DATABASE_URL: server.url };
    const installation = await withInstances(3, settings, WALLETS, async (used, [victim]) => {
      await untilAllServe(used, GIVEN_UP_AFTER_MS);
      await victim?.restart("SIGKILL");
      figures.push(`an instance killed: all serve ${await untilAllServe(used, GIVEN_UP_AFTER_MS)} ms after`);

      await server.kill();
      const gone = performance.now();
      await untilHappened(used, ["refresh store_unavailable"], GIVEN_UP_AFTER_MS, gone);
      const meanwhile = outcomes(used.exchanges, gone);
      await server.start();
      figures.push(`the store killed: all serve ${await untilAllServe(used, GIVEN_UP_AFTER_MS)} ms after`);
      used.storeAwayMs += performance.now() - gone;
      expect(meanwhile["refresh store_unavailable"], JSON.stringify(meanwhile)).toBeGreaterThan(0);
      expect(meanwhile["refresh 200"] ?? 0, JSON.stringify(meanwhile)).toBe(0);

      server.freeze();
      const stopped = performance.now();
      await untilHappened(used, ["refresh store_unavailable"], GIVEN_UP_AFTER_MS, stopped);
      server.thaw();
      figures.push(`a 503 of the stopped store took up to ${longest503(used.exchanges, stopped)} ms`);
      figures.push(`the store stopped: all serve ${await untilAllServe(used, GIVEN_UP_AFTER_MS)} ms after`);
      used.storeAwayMs += performance.now() - stopped;
    });
    console.log(`${name}: ${figures.join("; ")}`);
    await expectKept(`${name}, 3 instances`, installation, openStore(server.url));
  });
});
