// Pages of streams when the account changes or the session ends elsewhere.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { appUnderTest } from "../support/app-under-test.ts";
import {
  browserUnderTest,
  createStream,
  demoWalletOn,
  seesStreams,
  sessionOf,
  signInToStreams,
  signWithDemoWallet,
} from "./browser.ts";
import { status } from "./stream-page.ts";

const app = appUnderTest();
const browser = browserUnderTest(app);

/** As soon as those who see it end would say "at once"; and some more for a busy machine. */
const AT_ONCE = { timeout: 5_000 };

const signedIn = async () => signInToStreams(await browser.open());

/** All that the page says, wherever it says it. */
const textOn = async (page: Page) => (await page.locator("header, main").allTextContents()).join(" ");

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
