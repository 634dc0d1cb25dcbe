// Payment streams in a real browser: from the empty list to money withdrawn, both sides watching.
import type { Locator, Page } from "playwright-core";
import { expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { appUnderTest } from "../support/app-under-test.ts";
import {
  browserUnderTest,
  createStream,
  demoWalletOn,
  lookAgain,
  PATIENTLY,
  seesStreams,
  sessionOf,
  signInToStreams,
  signWithDemoWallet,
} from "./browser.ts";

const app = appUnderTest();
const browser = browserUnderTest(app);

/** As soon as those who see it end would say "at once"; and some more for a busy machine. */
const AT_ONCE = { timeout: 5_000 };

const signedIn = async () => signInToStreams(await browser.open());
const status = (page: Page, name: string) => page.getByRole("status").getByText(name, { exact: true });
const history = (page: Page, entry: string | RegExp) =>
  page.getByRole("region", { name: "History" }).getByRole("listitem").filter({ hasText: entry });
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

/** All that the page says, wherever it says it. */
const textOn = async (page: Page) => (await page.locator("header, main").allTextContents()).join(" ");

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
  const wish = { recipient: createWalletKeypair().account, deposit: "10", duration_seconds: 3_600 };
  // One more than the server gives at once.
  const ids = await Promise.all(Array.from({ length: 101 }, () => createStream(page, wish)));
  await page.goto("/streams?status=draft");
  const links = page.getByRole("list", { name: "Streams" }).getByRole("link");
  for (const shown of [20, 40, 60, 80, 100]) {
    await expect.poll(() => links.count(), PATIENTLY).toBe(shown);
    await button(page, "Show more").click();
  }
  await button(page, "Show more").waitFor({ state: "detached" });
  const addresses = await links.evaluateAll((all) => all.map((link) => link.getAttribute("href")));
  expect(addresses.sort()).toEqual(ids.map((id) => `/streams/${id}`).sort());
});

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
