// Payment streams in a real browser: from the empty list to money withdrawn, both sides watching.
import type { Locator } from "playwright-core";
import { expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { appUnderTest } from "../support/app-under-test.ts";
import { browserUnderTest, button, PATIENTLY, sessionOf, signInToStreams } from "./browser.ts";
import { history, status } from "./stream-page.ts";

const app = appUnderTest();
const browser = browserUnderTest(app);

const signedIn = async () => signInToStreams(await browser.open());

/** Resolves when a figure has grown on the screen, with nothing done to the page. */
async function seesGrow(figure: Locator): Promise<void> {
  const read = async () => {
    const [amount = ""] = /[\d,]+\.\d{7}/.exec((await figure.textContent()) ?? "") ?? [];
    return Number(amount.replaceAll(",", ""));
  };
  const before = await read();
  await expect.poll(read, PATIENTLY).toBeGreaterThan(before);
}

test("a stream is created, watched, withdrawn from, paused, settled and cancelled, and both sides see each step", async () => {
  const [sender, recipient] = await Promise.all([signedIn(), signedIn()]);
  const { actor_id: to } = await sessionOf(recipient);

  await button(sender, "Create your first stream").click();
  const form = sender.getByRole("dialog", { name: "New stream" });
  await form.getByLabel("Recipient").fill(to);
  await form.getByLabel("Amount in all").fill("3600");
  await form.getByLabel("Title").fill("Rent");
  await form.getByText("About 60 XLM each minute, for 1 h.").waitFor();
  await form.getByRole("button", { name: "Create and start" }).click();
  await sender.getByRole("heading", { level: 1, name: "Rent" }).waitFor();
  await status(sender, "Active").waitFor();
  const earned = sender.getByRole("region", { name: "Streamed to the recipient" }).locator("p").first();
  await seesGrow(earned);

  // The recipient's list was empty and open all the time.
  const row = recipient.getByRole("listitem").filter({ hasText: "Rent" });
  await seesGrow(row.getByText("Streamed").locator(".."));
  await row.getByRole("link", { name: "Rent" }).click();
  await button(recipient, "Withdraw").click();
  await history(recipient, "Withdrawn by you").waitFor();
  await history(sender, "Withdrawn by the recipient").waitFor();

  // Until there is something to settle again, also by the server's clock.
  for (let seconds = 0; seconds < 2; seconds += 1) await seesGrow(earned);
  await button(sender, "Pause").click();
  await status(sender, "Paused").waitFor();
  await status(recipient, "Paused").waitFor();
  await button(sender, "Settle").click();
  await history(sender, "Settled by you").first().waitFor();

  await button(sender, "Cancel the stream").click();
  const question = sender.getByRole("dialog", { name: "Cancel this stream?" });
  await question.getByText("stays with the recipient").waitFor();
  await question.getByRole("button", { name: "Cancel the stream" }).click();
  await status(sender, "Cancelled").waitFor();
  await status(recipient, "Cancelled").waitFor();
  await history(recipient, "the rest given back by the sender").waitFor();
  await sender.getByText("Not on chain yet").waitFor();
});

test("while one command is under way, the others take no press", async () => {
  const [sender, recipient] = await Promise.all([signedIn(), signedIn()]);
  await button(sender, "Create your first stream").click();
  const form = sender.getByRole("dialog", { name: "New stream" });
  await form.getByLabel("Recipient").fill((await sessionOf(recipient)).actor_id);
  await form.getByLabel("Amount in all").fill("3600");
  await form.getByLabel("Title").fill("Rent");
  await form.getByRole("button", { name: "Create and start" }).click();
  await button(sender, "Settle").waitFor();
  await recipient.getByRole("link", { name: "Rent" }).click();

  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await sender.route("**/pause", async (route) => {
    const response = await route.fetch();
    await released;
    await route.fulfill({ response });
  });
  await button(sender, "Pause").click();
  await status(recipient, "Paused").waitFor();
  await expect.poll(() => button(sender, "Settle").getAttribute("aria-disabled")).toBe("true");
  release();
  await button(sender, "Settle").click();
  await history(sender, "Settled by you").first().waitFor();
});

test("the form says what is wrong beside the field, and creates nothing", async () => {
  const page = await signedIn();
  await button(page, "New stream").click();
  const form = page.getByRole("dialog", { name: "New stream" });
  const recipient = form.getByLabel("Recipient");
  await form.getByRole("button", { name: "Create and start" }).click();
  await form.getByText("Say who receives the stream.").waitFor();
  await expect.poll(() => recipient.evaluate((field) => field === document.activeElement)).toBe(true);
  await recipient.fill((await sessionOf(page)).actor_id);
  await form.getByText("This is your own account.").waitFor();
  await recipient.fill(createWalletKeypair().account);
  await form.getByLabel("Amount in all").fill("0.00000001");
  await form.getByText("at most 7 digits after the point").waitFor();
  await form.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("No streams yet").waitFor();
});
