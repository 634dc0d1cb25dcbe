// The server goes away and comes back while somebody watches a stream.
import { expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { storedSession } from "../../support/database.ts";
import {
  accessHasEnded,
  eventually,
  expectNeverSignedOut,
  FETCHED_AHEAD,
  isForEvents,
  midStream,
  seesItFlow,
  type Watch,
  watchStream,
} from "./mid-stream.ts";
import { strangersPage } from "./network.ts";

const here = midStream();
const RECIPIENT = createWalletKeypair().account;

async function expectToGoOn(watch: Watch, generation: number): Promise<void> {
  await eventually(() => expect(watch.seen().findLast(isForEvents)?.status).toBe(200));
  await eventually(() =>
    expect(storedSession(here.app.server, watch.sessionId).generation).toBeGreaterThan(generation),
  );
  await seesItFlow(watch.page);
  expect(storedSession(here.app.server, watch.sessionId).revokedReason).toBeNull();
  await expectNeverSignedOut(watch);
}

const eventStreams = (watch: Watch) => watch.seen().filter(isForEvents).length;

test("a server that is stopped and started again, behind a proxy that says so, costs one reconnect", async () => {
  const visitor = await here.visitor({ mayComplainOf: FETCHED_AHEAD });
  const watch = await watchStream(visitor, RECIPIENT, "Through a restart");
  await eventually(() => expect(eventStreams(watch)).toBe(1));
  const { generation } = storedSession(here.app.server, watch.sessionId);
  const isBack = watch.line.meddle(() => true, strangersPage(502));
  await here.app.server.restart("SIGTERM");
  await eventually(() => expect(eventStreams(watch)).toBeGreaterThanOrEqual(2));
  isBack();
  await expectToGoOn(watch, generation);
});

test("a server that is killed, and stays away for longer than an access token lives, is found again", async () => {
  const watch = await watchStream(await here.visitor(), RECIPIENT, "Through a crash");
  await eventually(() => expect(eventStreams(watch)).toBe(1));
  const { generation } = storedSession(here.app.server, watch.sessionId);
  await here.app.server.kill("SIGKILL");
  await accessHasEnded(watch.context);
  await watch.page.getByText("Reconnecting…").waitFor();
  await here.app.server.start();
  await expectToGoOn(watch, generation);
  await watch.page.getByText("Reconnecting…").waitFor({ state: "detached" });
});
