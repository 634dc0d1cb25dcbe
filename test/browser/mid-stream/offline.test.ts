// No network at all while somebody watches a payment stream.
import { test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { accessHasEnded, expectToGoOn, midStream, watchStream } from "./mid-stream.ts";
import { unreachable } from "./network.ts";

const here = midStream();

test("a person who watches a stream is not signed out by being offline for longer than an access token lives", async () => {
  const watch = await watchStream(await here.visitor(), createWalletKeypair().account, "Offline");
  const recover = watch.line.meddle(() => true, unreachable);
  await watch.context.setOffline(true);
  watch.line.cut();
  await accessHasEnded(watch.context);
  await watch.page.getByText("Reconnecting…").waitFor();
  recover();
  await watch.context.setOffline(false);
  await watch.page.getByText("Reconnecting…").waitFor({ state: "detached" });
  await expectToGoOn(here, watch);
});
