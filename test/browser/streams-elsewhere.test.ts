import { expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { appUnderTest } from "../support/app-under-test.ts";
import { browserUnderTest, button, createStream, lookAgain, signInToStreams } from "./browser.ts";
import { history, status } from "./stream-page.ts";

const app = appUnderTest();
const browser = browserUnderTest(app);

const signedIn = async () => signInToStreams(await browser.open());

test("a page without its live feed says so, catches up, and says so no more", async () => {
  const context = await browser.open();
  const page = await signInToStreams(context);
  const note = page.getByRole("status").getByText("Reconnecting…");
  await context.route("**/api/events", (route) => route.abort());
  await page.reload();
  await note.waitFor();
  const wish = { recipient: createWalletKeypair().account, deposit: "10", duration_seconds: 3_600 };
  await createStream(page, { ...wish, title: "Made meanwhile" });
  await context.unroute("**/api/events");
  await lookAgain(page);
  await note.waitFor({ state: "detached" });
  await page.getByRole("link", { name: "Made meanwhile" }).waitFor();
});

test("what another device has done meanwhile is said and shown, and nothing is done twice", async () => {
  const laptop = await signedIn();
  const wish = { recipient: createWalletKeypair().account, deposit: "10", duration_seconds: 3_600 };
  const id = await createStream(laptop, { ...wish, title: "Shared", start: true });
  const context = await browser.open({ walletOf: laptop });
  await context.route("**/api/events", (route) => route.abort());
  const phone = await signInToStreams(context);
  await phone.goto(`/streams/${id}`);
  await status(phone, "Active").waitFor();

  await laptop.goto(`/streams/${id}`);
  await button(laptop, "Pause").click();
  await status(laptop, "Paused").waitFor();
  await button(phone, "Pause").click();
  await phone.getByText("Nothing was changed. The stream has changed since you looked.").waitFor();
  await status(phone, "Paused").waitFor();
  expect(await history(phone, "Paused").count()).toBe(1);
});

test("nobody else sees a stream", async () => {
  const [sender, stranger] = await Promise.all([signedIn(), signedIn()]);
  const wish = { recipient: createWalletKeypair().account, deposit: "10", duration_seconds: 3_600 };
  const id = await createStream(sender, { ...wish, title: "Private" });
  await stranger.goto(`/streams/${id}`);
  await stranger.getByRole("heading", { level: 1, name: "No such stream" }).waitFor();
});
