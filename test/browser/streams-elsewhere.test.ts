// Payment streams on a page while something happens elsewhere: on other devices, in other tabs, on the way to the server.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { appUnderTest } from "../support/app-under-test.ts";
import {
  browserUnderTest,
  button,
  createStream,
  demoWalletOn,
  lookAgain,
  seesStreams,
  sessionOf,
  signInToStreams,
  signWithDemoWallet,
} from "./browser.ts";
import { history, status } from "./stream-page.ts";

const app = appUnderTest();
const browser = browserUnderTest(app);

/** As soon as those who see it end would say "at once"; and some more for a busy machine. */
const AT_ONCE = { timeout: 5_000 };

const signedIn = async () => signInToStreams(await browser.open());

/** All that the page says, wherever it says it. */
const textOn = async (page: Page) => (await page.locator("header, main").allTextContents()).join(" ");

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

test("another account that signs in in another tab: no tab goes on showing the first one's streams", async () => {
  const context = await browser.open();
  const first = await signInToStreams(context);
  const { actor_id: before } = await sessionOf(first);
  const wish = { recipient: createWalletKeypair().account, deposit: "10", duration_seconds: 3_600 };
  await createStream(first, { ...wish, title: "Of the first account", start: true });
  await first.getByText("Of the first account").waitFor();

  const second = await context.newPage();
  await second.goto("/sign-in");
  await (await demoWalletOn(second)).getByRole("button", { name: "Make another key" }).click();
  await signWithDemoWallet(second);
  await seesStreams(second);
  await first.getByText("No streams yet").waitFor();
  expect((await sessionOf(first)).actor_id).not.toBe(before);
  expect(await textOn(first)).not.toContain("Of the first account");
  expect(await textOn(first)).not.toContain(before.slice(0, 6));
});

test("a session ended elsewhere ends on every page at once, and nothing of the account stays", async () => {
  const laptop = await signedIn();
  const { actor_id: actorId, session_id: sessionId } = await sessionOf(laptop);
  const wish = { recipient: createWalletKeypair().account, deposit: "10", duration_seconds: 3_600 };
  const id = await createStream(laptop, { ...wish, title: "To be hidden", start: true });
  await laptop.getByRole("link", { name: "To be hidden" }).click();
  await status(laptop, "Active").waitFor();
  const phone = await signInToStreams(await browser.open({ walletOf: laptop }));
  await phone.evaluate(
    async (ended) => fetch(`/api/auth/sessions/${ended}`, { method: "DELETE" }),
    sessionId,
  );
  await laptop.getByRole("heading", { level: 1, name: "This session was ended." }).waitFor(AT_ONCE);
  expect(await textOn(laptop)).not.toContain("To be hidden");
  expect(await textOn(laptop)).not.toContain(actorId.slice(0, 6));
  // Signing in leads back to where the person was.
  await laptop.getByRole("link", { name: "Sign in" }).click();
  await signWithDemoWallet(laptop);
  await laptop.waitForURL(`**/streams/${id}`);
  await status(laptop, "Active").waitFor();
});
