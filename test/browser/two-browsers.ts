// One account in two browsers, and what becomes of the session in one of them.
import type { BrowserContext, Page } from "playwright-core";
import { expect } from "vitest";
import { type BrowserUnderTest, jarOf, signIn } from "./browser.ts";

const PHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";

export interface SignedIn {
  readonly context: BrowserContext;
  readonly page: Page;
}

/** The same wallet in another browser. */
export async function alsoSignedIn(
  browser: BrowserUnderTest,
  first: Page,
  userAgent = PHONE,
): Promise<SignedIn> {
  const context = await browser.open({ walletOf: first, userAgent });
  return { context, page: await signIn(context) };
}

export async function signedIn(browser: BrowserUnderTest): Promise<SignedIn> {
  const context = await browser.open();
  return { context, page: await signIn(context) };
}

export async function confirm(page: Page, question: string, answer: string): Promise<void> {
  const dialog = page.getByRole("dialog", { name: question });
  await dialog.getByRole("button", { name: answer }).click();
  await dialog.waitFor({ state: "detached" });
}

export async function seesEnd({ page, context }: SignedIn, title: string): Promise<void> {
  await page.getByRole("heading", { level: 1, name: title }).waitFor();
  await page.getByRole("link", { name: "Sign in" }).waitFor();
  expect(await jarOf(context)).toEqual(new Map());
}

export const rows = (page: Page) =>
  page.getByRole("region", { name: "Where you are signed in" }).getByRole("listitem");
