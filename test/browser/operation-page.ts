// What both files about operations do on their pages.
import type { Page } from "playwright-core";
import { expect } from "vitest";
import type { App } from "../support/app-under-test.ts";
import { seedStreams } from "../support/streams.ts";
import {
  type BrowserUnderTest,
  button,
  PATIENTLY,
  seesStreams,
  sessionOf,
  signInToStreams,
} from "./browser.ts";

/** No operation of so many is over before a test has done what it is about. */
export const MANY = 400;
export const WITHIN = { timeout: 60_000 };

export const done = async (page: Page) =>
  Number(await page.getByRole("progressbar").getAttribute("aria-valuenow"));

export async function confirm(page: Page, question: string, answer: string): Promise<void> {
  await page.getByRole("dialog", { name: question }).getByRole("button", { name: answer }).click();
}

/** Somebody with that many streams. */
export async function withStreams(app: App, browser: BrowserUnderTest, count: number): Promise<Page> {
  const page = await signInToStreams(await browser.open());
  await seedStreams(app.server, (await sessionOf(page)).actor_id, count);
  await page.reload();
  await seesStreams(page);
  return page;
}

/** Presses "Settle all", and resolves when the operation has come somewhere. */
export async function settleAll(page: Page): Promise<void> {
  await button(page, "Settle all").click();
  await page.waitForURL("**/operations/*");
  await page.getByRole("heading", { level: 1, name: /^Settling/ }).waitFor();
  await expect.poll(() => done(page), PATIENTLY).toBeGreaterThan(0);
}
