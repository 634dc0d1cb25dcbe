// Sessions that are ended from a page: in another browser, everywhere else, and here.
import type { BrowserContext, Page } from "playwright-core";
import { expect, test } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";
import { browserUnderTest, jarOf, seesSession, sessionOf, signIn } from "./browser.ts";

const app = appUnderTest();
const browser = browserUnderTest(app);

const PHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";

interface SignedIn {
  readonly context: BrowserContext;
  readonly page: Page;
}

/** The same wallet in another browser. */
async function alsoSignedIn(first: Page, userAgent = PHONE): Promise<SignedIn> {
  const context = await browser.open({ walletOf: first, userAgent });
  return { context, page: await signIn(context) };
}

async function signedIn(): Promise<SignedIn> {
  const context = await browser.open();
  return { context, page: await signIn(context) };
}

/** What the browser tells its pages after a tunnel; they look again. */
async function lookAgain({ page }: Pick<SignedIn, "page">): Promise<void> {
  await page.evaluate(() => window.dispatchEvent(new Event("online")));
}

async function confirm(page: Page, question: string, answer: string): Promise<void> {
  const dialog = page.getByRole("dialog", { name: question });
  await dialog.getByRole("button", { name: answer }).click();
  await dialog.waitFor({ state: "detached" });
}

async function seesEnd({ page, context }: SignedIn, title: string): Promise<void> {
  await page.getByRole("heading", { level: 1, name: title }).waitFor();
  await page.getByRole("link", { name: "Sign in" }).waitFor();
  expect(await jarOf(context)).toEqual(new Map());
}

const rows = (page: Page) =>
  page.getByRole("region", { name: "Where you are signed in" }).getByRole("listitem");

test("a session ended from another browser says so in plain words, and signing in again is one step away", async () => {
  const laptop = await signedIn();
  const phone = await alsoSignedIn(laptop.page);
  await phone.page.getByRole("button", { name: /^End the session of Chrom/ }).click();
  await confirm(phone.page, "End this session?", "End it");
  await phone.page.getByText("The session has ended.").waitFor();
  expect(await rows(phone.page).count()).toBe(1);

  await lookAgain(laptop);
  await seesEnd(laptop, "This session was ended.");
  await laptop.page.getByText("Somebody who is signed in with your wallet ended it").waitFor();
  await laptop.page.getByRole("link", { name: "Sign in" }).click();
  await laptop.page.getByRole("button", { name: "Sign in with the demo wallet" }).click();
  await seesSession(laptop.page);
  expect(await rows(laptop.page).count()).toBe(2);
});

test("ending all others keeps this one", async () => {
  const laptop = await signedIn();
  const others = await Promise.all([alsoSignedIn(laptop.page), alsoSignedIn(laptop.page)]);
  const { session_id } = await sessionOf(laptop.page);
  await lookAgain(laptop);
  await expect.poll(() => rows(laptop.page).count()).toBe(3);
  await laptop.page.getByRole("button", { name: "End all others" }).click();
  await confirm(laptop.page, "End all other sessions?", "End them");
  await laptop.page.getByText("2 other sessions have ended.").waitFor();
  expect(await rows(laptop.page).count()).toBe(1);
  for (const other of others) {
    await lookAgain(other);
    await seesEnd(other, "This session was ended.");
  }
  await laptop.page.reload();
  await seesSession(laptop.page);
  expect(await sessionOf(laptop.page)).toMatchObject({ session_id, generation: 1 });
});

test("signing out empties the jar, in every tab, and leaves the other browsers alone", async () => {
  const laptop = await signedIn();
  const phone = await alsoSignedIn(laptop.page);
  const otherTab = await laptop.context.newPage();
  await otherTab.goto("/session");
  await seesSession(otherTab);

  await laptop.page.getByRole("button", { name: "Sign out" }).click();
  await seesEnd(laptop, "You are signed out.");
  await laptop.page.goto("/session");
  await laptop.page.getByRole("heading", { name: "You are not signed in." }).waitFor();
  await lookAgain({ page: otherTab });
  await otherTab.getByRole("heading", { name: "You are signed out in this browser." }).waitFor();

  await phone.page.reload();
  await seesSession(phone.page);
  expect(await rows(phone.page).count()).toBe(1);
});
