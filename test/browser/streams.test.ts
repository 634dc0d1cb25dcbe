// Payment streams in a real browser: from the empty list to money withdrawn, both sides watching.
import type { Locator } from "playwright-core";
import { expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { appUnderTest } from "../support/app-under-test.ts";
import { seedStreams } from "../support/streams.ts";
import { browserUnderTest, button, createStream, PATIENTLY, sessionOf, signInToStreams } from "./browser.ts";
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

test("the list is narrowed by status and direction, at an address of its own", async () => {
  const page = await signedIn();
  const wish = { recipient: createWalletKeypair().account, deposit: "10", duration_seconds: 3_600 };
  await createStream(page, { ...wish, title: "Running", start: true });
  await createStream(page, { ...wish, title: "Thought of" });
  const titles = () => page.getByRole("list", { name: "Streams" }).getByRole("link").allInnerTexts();
  await expect.poll(titles, PATIENTLY).toEqual(["Thought of", "Running"]);
  await page.getByRole("link", { name: "Draft 1" }).click();
  await expect.poll(titles, PATIENTLY).toEqual(["Thought of"]);
  await page.waitForURL("**/streams?status=draft");
  await page.reload();
  await expect.poll(titles, PATIENTLY).toEqual(["Thought of"]);
  await page.getByRole("link", { name: "You receive" }).click();
  await page.getByText("No stream matches").waitFor();
});

test("a long list is shown by pieces, and each stream in it once", async () => {
  const page = await signedIn();
  // One more than the server gives at once.
  const ids = await seedStreams(app.server, (await sessionOf(page)).actor_id, 101);
  await page.reload();
  const links = page.getByRole("list", { name: "Streams" }).getByRole("link");
  for (const shown of [20, 40, 60, 80, 100]) {
    await expect.poll(() => links.count(), PATIENTLY).toBe(shown);
    await button(page, "Show more").click();
  }
  await button(page, "Show more").waitFor({ state: "detached" });
  const addresses = await links.evaluateAll((all) => all.map((link) => link.getAttribute("href")));
  expect(addresses.sort()).toEqual(ids.map((id) => `/streams/${id}`).sort());
});
