// What axe finds on the pages of people who are signed in.
import type { Page } from "playwright-core";
import { describe, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { appUnderTest } from "../support/app-under-test.ts";
import { expectAccessible } from "./axe.ts";
import {
  browserUnderTest,
  button,
  createStream,
  seesSession,
  seesStreams,
  signIn,
  signInToStreams,
} from "./browser.ts";

const app = appUnderTest();
const browser = browserUnderTest(app);

const RECIPIENT = createWalletKeypair().account;

/** A stream that has run for a while, with something of each kind in its history. */
async function streamWithHistory(page: Page): Promise<string> {
  const wish = { recipient: RECIPIENT, deposit: "3600", duration_seconds: 3_600, start: true };
  await createStream(page, { ...wish, start: false, title: "A draft" });
  const id = await createStream(page, { ...wish, title: "Rent" });
  await page.goto(`/streams/${id}`);
  await button(page, "Settle").click();
  await page.getByRole("region", { name: "History" }).getByText("Settled by you").first().waitFor();
  return id;
}

describe("nothing serious is found on", () => {
  test("the streams, one stream and its question, and an operation", async () => {
    const page = await signInToStreams(await browser.open());
    await streamWithHistory(page);
    await expectAccessible(page);
    await button(page, "Cancel the stream").click();
    await page.getByRole("dialog", { name: "Cancel this stream?" }).waitFor();
    await expectAccessible(page);

    await page.goto("/streams");
    await page.getByRole("link", { name: "Rent" }).waitFor();
    await expectAccessible(page);
    await button(page, "Settle all").click();
    await page.getByRole("heading", { level: 1, name: "Settled 1 stream" }).waitFor();
    await expectAccessible(page);
    await page.goto("/streams/0000000000000000000000");
    await page.getByRole("heading", { level: 1, name: "No such stream" }).waitFor();
    await expectAccessible(page);
  });

  test("the sessions, the question before one is ended, and the page of an ended session", async () => {
    const context = await browser.open();
    const page = await signIn(context);
    await signIn(await browser.open({ walletOf: page }));
    await page.reload();
    await seesSession(page);
    await expectAccessible(page);
    await button(page, "End all others").click();
    await page.getByRole("dialog", { name: "End all other sessions?" }).waitFor();
    await expectAccessible(page);
    await page.keyboard.press("Escape");

    const other = await context.newPage();
    await other.goto("/streams");
    await seesStreams(other);
    await button(page, "Sign out").click();
    await page.getByRole("heading", { level: 1, name: "You are signed out." }).waitFor();
    await expectAccessible(page);
  });
});
