// The server dies while somebody watches a stream.
import { test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { accessHasEnded, expectToGoOn, hearsEvents, midStream, watchStream } from "./mid-stream.ts";

const here = midStream();

test("a server that is killed, and stays away for longer than an access token lives, is found again", async () => {
  const watch = await watchStream(await here.visitor(), createWalletKeypair().account, "Through a crash");
  await hearsEvents(watch);
  await here.app.server.kill("SIGKILL");
  await accessHasEnded(watch.context);
  await watch.page.getByText("Reconnecting…").waitFor();
  await here.app.server.start();
  await expectToGoOn(here, watch);
  await watch.page.getByText("Reconnecting…").waitFor({ state: "detached" });
});
