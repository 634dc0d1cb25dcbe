// The server stops and comes back while somebody watches a stream.
import { expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import {
  eventStreams,
  eventually,
  expectToGoOn,
  FETCHED_AHEAD,
  hearsEvents,
  midStream,
  watchStream,
} from "./mid-stream.ts";
import { strangersPage } from "./network.ts";

const here = midStream();
const RECIPIENT = createWalletKeypair().account;

test("a server that is stopped and started again, behind a proxy that says so, costs one reconnect", async () => {
  const visitor = await here.visitor({ mayComplainOf: FETCHED_AHEAD });
  const watch = await watchStream(visitor, RECIPIENT, "Through a restart");
  const before = await hearsEvents(watch);
  const isBack = watch.line.meddle(() => true, strangersPage(502));
  await here.app.server.restart("SIGTERM");
  await eventually(() => expect(eventStreams(watch)).toBeGreaterThan(before));
  isBack();
  await expectToGoOn(here, watch);
});
