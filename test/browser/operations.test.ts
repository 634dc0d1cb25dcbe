// Settling many streams at once, in a real browser: the operation outlives its page, and stops with its session.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { appUnderTest } from "../support/app-under-test.ts";
import { withDatabase } from "../support/database.ts";
import { browserUnderTest, button, createStream, PATIENTLY } from "./browser.ts";
import { confirm, done, MANY, settleAll, WITHIN, withStreams } from "./operation-page.ts";

const app = appUnderTest(() => ({ SETTLEMENTS_PER_SECOND: "3" }));
const browser = browserUnderTest(app);

/** Starts one more for who is signed in. Resolves with its id. */
function startStream(page: Page): Promise<string> {
  const recipient = createWalletKeypair().account;
  return createStream(page, { recipient, deposit: "36000", duration_seconds: 3_600, start: true });
}

test("an operation goes on while nobody watches, and says how far it is to a person who comes back", async () => {
  const page = await withStreams(app, browser, 12);
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
  const page = await withStreams(app, browser, 3);
  const boxes = page.getByRole("checkbox");
  // New rows come in on top: until all are there, the same place is now one row and now another.
  await expect.poll(() => boxes.count(), PATIENTLY).toBe(3);
  await boxes.nth(0).check();
  await boxes.nth(1).check();
  await button(page, "Settle 2 selected").click();
  await page.getByRole("heading", { level: 1, name: "Settled 2 streams" }).waitFor(WITHIN);

  const other = await withStreams(app, browser, MANY);
  await settleAll(other);
  await button(other, "Cancel the rest").click();
  await confirm(other, "Cancel the rest?", "Cancel the rest");
  await other.getByRole("heading", { level: 1, name: /was cancelled$/ }).waitFor();
  expect(await done(other)).toBeLessThan(MANY);
});

test("what could not be settled is named, with the reason", async () => {
  const page = await withStreams(app, browser, 1);
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
