// Settling many streams at once, in a real browser: the operation outlives its page, and stops with its session.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { appUnderTest } from "../support/app-under-test.ts";
import { withDatabase } from "../support/database.ts";
import { seedStreams } from "../support/streams.ts";
import {
  browserUnderTest,
  createStream,
  PATIENTLY,
  seesStreams,
  sessionOf,
  signIn,
  signInToStreams,
  signWithDemoWallet,
} from "./browser.ts";

const app = appUnderTest(() => ({ SETTLEMENTS_PER_SECOND: "5" }));
const browser = browserUnderTest(app);

/** No operation of so many is over before a test has done what it is about. */
const MANY = 400;
const WITHIN = { timeout: 60_000 };

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const done = async (page: Page) => Number(await page.getByRole("progressbar").getAttribute("aria-valuenow"));

async function confirm(page: Page, question: string, answer: string): Promise<void> {
  await page.getByRole("dialog", { name: question }).getByRole("button", { name: answer }).click();
}

/** Somebody with that many streams. */
async function withStreams(count: number): Promise<Page> {
  const page = await signInToStreams(await browser.open());
  await seedStreams(app.server, (await sessionOf(page)).actor_id, count);
  await page.reload();
  await seesStreams(page);
  return page;
}

/** Starts one more for who is signed in. Resolves with its id. */
function startStream(page: Page): Promise<string> {
  const recipient = createWalletKeypair().account;
  return createStream(page, { recipient, deposit: "36000", duration_seconds: 3_600, start: true });
}

/** Presses "Settle all", and resolves when the operation has come somewhere. */
async function settleAll(page: Page): Promise<void> {
  await button(page, "Settle all").click();
  await page.waitForURL("**/operations/*");
  await page.getByRole("heading", { level: 1, name: /^Settling/ }).waitFor();
  await expect.poll(() => done(page), PATIENTLY).toBeGreaterThan(0);
}

test("an operation goes on while nobody watches, and says how far it is to whoever comes back", async () => {
  const page = await withStreams(12);
  await settleAll(page);
  const path = new URL(page.url()).pathname;
  await page.getByRole("link", { name: "Your streams" }).click();
  await page.getByRole("list", { name: "Operations under way" }).getByRole("link").click();
  await page.waitForURL(`**${path}`);
  await page.reload();
  await page.getByRole("heading", { level: 1, name: "Settled 12 streams" }).waitFor(WITHIN);
  expect(await done(page)).toBe(12);
  await page.getByRole("status").filter({ hasText: "100 % done" }).waitFor();
  expect(await button(page, "Cancel the rest").count()).toBe(0);
});

test("a few are chosen, and the rest of an operation is cancelled", async () => {
  const page = await withStreams(3);
  const boxes = page.getByRole("checkbox");
  // New rows come in on top: until all are there, the same place is now one row and now another.
  await expect.poll(() => boxes.count(), PATIENTLY).toBe(3);
  await boxes.nth(0).check();
  await boxes.nth(1).check();
  await button(page, "Settle 2 selected").click();
  await page.getByRole("heading", { level: 1, name: "Settled 2 streams" }).waitFor(WITHIN);

  const other = await withStreams(MANY);
  await settleAll(other);
  await button(other, "Cancel the rest").click();
  await confirm(other, "Cancel the rest?", "Cancel the rest");
  await other.getByRole("heading", { level: 1, name: /was cancelled$/ }).waitFor();
  expect(await done(other)).toBeLessThan(MANY);
});

test("what could not be settled is named, with the reason", async () => {
  const page = await withStreams(1);
  const stream = await startStream(page);
  await button(page, "Settle all").click();
  await page.getByRole("heading", { level: 1, name: "Settled 2 streams" }).waitFor(WITHIN);
  const id = new URL(page.url()).pathname.split("/").at(-1) ?? "";
  // As a sender of transactions leaves it that has refused one: the one that is there refuses nothing.
  withDatabase(app.server, (database) => {
    const failures = JSON.stringify([{ stream_id: stream, reason: "recipient_missing" }]);
    const { changes } = database
      .prepare("UPDATE operations SET done = 1, failed = 1, failures = ? WHERE id = ?")
      .run(failures, id);
    expect(changes).toBe(1);
  });
  await page.reload();
  await page.getByRole("heading", { level: 1, name: "Settled all but 1 of 2 streams" }).waitFor();
  const failure = page.getByRole("listitem").filter({ hasText: "account is not on the network" });
  await failure.getByRole("link").click();
  await page.waitForURL(`**/streams/${stream}`);
  await page.goBack();
  await page.waitForURL(`**/operations/${id}`);
});

test("revoked from another device, it pauses; there a signature lets it go on, without leaving the page", async () => {
  const laptop = await withStreams(MANY);
  await settleAll(laptop);
  const { session_id: sessionId } = await sessionOf(laptop);
  const phone = await signIn(await browser.open({ walletOf: laptop }));
  await phone.getByRole("link", { name: /^Settling/ }).waitFor();
  await phone.getByRole("button", { name: /^End the session of/ }).click();
  const question = phone.getByRole("dialog", { name: "End this session?" });
  await question.getByText("runs under this session and pauses").waitFor();
  await question.getByRole("button", { name: "End it" }).click();
  await laptop.getByRole("heading", { level: 1, name: "This session was ended." }).waitFor();

  await phone.goto(new URL(laptop.url()).pathname);
  await phone.getByText("Paused: the session that started it has ended.").waitFor();
  const before = await done(phone);
  await button(phone, "Sign and resume").click();
  await phone.getByRole("heading", { level: 1, name: `Settling ${MANY} streams`, exact: true }).waitFor();
  await expect.poll(() => done(phone), PATIENTLY).toBeGreaterThan(before);
  expect((await sessionOf(phone)).session_id).not.toBe(sessionId);
});

test("signing out warns of what will pause, and whoever signs in again resumes it", async () => {
  const page = await withStreams(MANY);
  await settleAll(page);
  const path = new URL(page.url()).pathname;
  await page.getByRole("link", { name: "Sessions" }).click();
  await page
    .getByRole("region", { name: "Where you are signed in" })
    .getByRole("link", { name: /^Settling/ })
    .waitFor();
  await button(page, "Sign out").click();
  const question = page.getByRole("dialog", { name: "Sign out while something runs?" });
  await question.getByText(`“Settling ${MANY} streams” runs under this session and pauses`).waitFor();
  await question.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { level: 1, name: "You are signed out." }).waitFor();

  await page.goto(path);
  await page.waitForURL("**/sign-in?next=*");
  await signWithDemoWallet(page);
  await page.waitForURL(`**${path}`);
  await button(page, "Resume").click();
  await page.getByRole("heading", { level: 1, name: `Settling ${MANY} streams`, exact: true }).waitFor();
});

test("a session near its last day is extended by one signature on the page, and what runs under it goes on", async () => {
  const page = await withStreams(MANY);
  const context = page.context();
  // The page's clock as it will be in 29 days and a half; the server's stays.
  await context.addInitScript(() => {
    const now = Date.now;
    Date.now = () => now() + Number(Reflect.get(window, "laterBy") ?? 0);
  });
  await page.reload();
  await settleAll(page);
  const path = new URL(page.url()).pathname;
  const { session_id: before } = await sessionOf(page);
  const warning = page.getByText("Your session ends on");
  expect(await warning.count()).toBe(0);
  await page.evaluate(() => Reflect.set(window, "laterBy", 29.5 * 86_400_000));
  await warning.waitFor();
  await button(page, "Sign once").click();
  await expect.poll(async () => (await sessionOf(page)).session_id, PATIENTLY).not.toBe(before);
  await page.evaluate(() => Reflect.set(window, "laterBy", 0));
  await warning.waitFor({ state: "detached" });

  expect(new URL(page.url()).pathname).toBe(path);
  const { session_id: after } = await sessionOf(page);
  const grant = () =>
    page.evaluate(async (operation) => {
      const { status, session_id } = await (await fetch(`/api${operation}`)).json();
      return { status, session_id };
    }, path);
  await expect.poll(grant, PATIENTLY).toEqual({ status: "running", session_id: after });
});
