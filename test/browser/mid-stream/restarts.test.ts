// The server goes away and comes back while somebody watches a stream.
import { expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import {
  accessHasEnded,
  eventually,
  expectToGoOn,
  FETCHED_AHEAD,
  isForEvents,
  midStream,
  type Watch,
  watchStream,
} from "./mid-stream.ts";
import { strangersPage } from "./network.ts";

const here = midStream();
const RECIPIENT = createWalletKeypair().account;

const eventStreams = (watch: Watch) => watch.seen().filter(isForEvents).length;

/** Resolves with how many event streams there were so far, when the last one is open. */
async function hearsEvents(watch: Watch): Promise<number> {
  await eventually(() =>
    expect(watch.seen().findLast(isForEvents)).toMatchObject({ status: 200, isOver: false }),
  );
  return eventStreams(watch);
}

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

test("a server that is killed, and stays away for longer than an access token lives, is found again", async () => {
  const watch = await watchStream(await here.visitor(), RECIPIENT, "Through a crash");
  await hearsEvents(watch);
  await here.app.server.kill("SIGKILL");
  await accessHasEnded(watch.context);
  await watch.page.getByText("Reconnecting…").waitFor();
  await here.app.server.start();
  await expectToGoOn(here, watch);
  await watch.page.getByText("Reconnecting…").waitFor({ state: "detached" });
});
