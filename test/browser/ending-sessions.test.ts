// Sessions that are ended from a page: in another browser, everywhere else, and here.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { BrowserContext, Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { root } from "../../scripts/setup/root.mjs";
import { appUnderTest } from "../support/app-under-test.ts";
import {
  browserUnderTest,
  jarOf,
  lookAgain,
  seesSession,
  sessionOf,
  signIn,
  signWithDemoWallet,
} from "./browser.ts";

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

/** Ends the session of a page as somebody does who sits at the server. */
async function revokeAsOperator(sessionId: string): Promise<void> {
  const bin = join(root, "packages/wallet-session/bin/wallet-session.js");
  const env = { ...app.server.settings, NODE_ENV: "development" as const };
  await promisify(execFile)(process.execPath, [bin, "sessions", "revoke", sessionId], { env });
}

const rows = (page: Page) =>
  page.getByRole("region", { name: "Where you are signed in" }).getByRole("listitem");

test("a session ended from another browser says so in plain words, and signing in again is one step away", async () => {
  const laptop = await signedIn();
  const phone = await alsoSignedIn(laptop.page);
  await phone.page.getByRole("button", { name: /^End the session of Chrom/ }).click();
  await confirm(phone.page, "End this session?", "End it");
  await phone.page.getByText("The session has ended.").waitFor();
  await expect.poll(() => rows(phone.page).count()).toBe(1);

  await lookAgain(laptop.page);
  await seesEnd(laptop, "This session was ended.");
  await laptop.page.getByText("Somebody who is signed in with your wallet ended it").waitFor();
  await laptop.page.getByRole("link", { name: "Sign in" }).click();
  await signWithDemoWallet(laptop.page);
  await seesSession(laptop.page);
  await expect.poll(() => rows(laptop.page).count()).toBe(2);
});

test("a session that the operator ended says so: nobody with the wallet is suspected", async () => {
  const title = "This session was ended by the operator.";
  const [watching, away] = [await signedIn(), await signedIn()];
  const [{ session_id: watched }, { session_id: left }] = [
    await sessionOf(watching.page),
    await sessionOf(away.page),
  ];
  // Before it ends: a page that is open hears of its end within a second, and keeps nothing to come back with.
  await away.page.goto("about:blank");
  await revokeAsOperator(left);
  // The later one: where the server knows of this end, it knows of the other.
  await revokeAsOperator(watched);
  await seesEnd(watching, title);
  await away.page.goto("/sessions");
  await away.page.waitForURL("**/sign-in?next=%2Fsessions&reason=ended_by_operator");
  await away.page.getByText(title, { exact: true }).waitFor();
});

describe("the sign-in page says why one has come to it", () => {
  const says = (page: Page, title: string) => page.getByText(title, { exact: true });

  test("on a cold load, when another device has ended the session meanwhile", async () => {
    const laptop = await signedIn();
    const phone = await alsoSignedIn(laptop.page);
    await laptop.page.goto("about:blank");
    await phone.page.getByRole("button", { name: "End all others" }).click();
    await confirm(phone.page, "End all other sessions?", "End them");
    await laptop.page.goto("/sessions");
    await laptop.page.waitForURL("**/sign-in?next=%2Fsessions&reason=session_revoked");
    await says(laptop.page, "This session was ended.").waitFor();
  });

  test("when the page that has said so is loaded again, until somebody signs in", async () => {
    const laptop = await signedIn();
    const phone = await alsoSignedIn(laptop.page);
    await phone.page.getByRole("button", { name: "End all others" }).click();
    await confirm(phone.page, "End all other sessions?", "End them");
    await seesEnd(laptop, "This session was ended.");
    await laptop.page.reload();
    await laptop.page.waitForURL("**/sign-in?next=%2Fsessions");
    await says(laptop.page, "This session was ended.").waitFor();

    await signWithDemoWallet(laptop.page);
    await seesSession(laptop.page);
    await laptop.page.getByRole("button", { name: "Sign out", exact: true }).click();
    await seesEnd(laptop, "You are signed out.");
    await laptop.page.reload();
    await laptop.page.getByText("The page that you asked for belongs to an account.").waitFor();
    expect(await says(laptop.page, "This session was ended.").count()).toBe(0);
  });

  test("in words of its own: what an address says is never shown", async () => {
    const page = await (await browser.open()).newPage();
    await page.goto("/sign-in?next=/sessions&reason=refresh_token_expired");
    await says(page, "This session has run out.").waitFor();
    for (const reason of ["Call+this+number", "constructor", "__proto__", "session_revoked&reason=twice"]) {
      await page.goto(`/sign-in?next=/sessions&reason=${reason}`);
      await page.getByText("Your wallet signs a challenge.").waitFor();
      expect(await page.getByRole("main").textContent()).not.toMatch(/This session|number|twice/);
    }
  });
});

test("ending all others keeps this one", async () => {
  const laptop = await signedIn();
  const others = await Promise.all([alsoSignedIn(laptop.page), alsoSignedIn(laptop.page)]);
  const { session_id } = await sessionOf(laptop.page);
  await lookAgain(laptop.page);
  await expect.poll(() => rows(laptop.page).count()).toBe(3);
  await laptop.page.getByRole("button", { name: "End all others" }).click();
  await confirm(laptop.page, "End all other sessions?", "End them");
  await laptop.page.getByText("2 other sessions have ended.").waitFor();
  await expect.poll(() => rows(laptop.page).count()).toBe(1);
  for (const other of others) {
    await lookAgain(other.page);
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
  await otherTab.goto("/sessions");
  await seesSession(otherTab);

  await laptop.page.getByRole("button", { name: "Sign out", exact: true }).click();
  await seesEnd(laptop, "You are signed out.");
  await laptop.page.goto("/sessions");
  await laptop.page.waitForURL("**/sign-in?next=%2Fsessions");
  await otherTab.getByRole("heading", { name: "You are signed out." }).waitFor();

  await phone.page.reload();
  await seesSession(phone.page);
  await expect.poll(() => rows(phone.page).count()).toBe(1);
});

test("signing out everywhere ends every session, this one last", async () => {
  const laptop = await signedIn();
  const phone = await alsoSignedIn(laptop.page);
  await laptop.page.getByRole("button", { name: "Sign out everywhere" }).click();
  await laptop.page
    .getByRole("dialog", { name: "Sign out everywhere?" })
    .getByRole("button", { name: "End all sessions" })
    .click();
  await seesEnd(laptop, "You are signed out.");
  await seesEnd(phone, "This session was ended.");
});
