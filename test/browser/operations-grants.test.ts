// Settling many streams at once, in a real browser: who may go on with an operation when its session ends.
import { expect, test } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";
import { browserUnderTest, button, PATIENTLY, sessionOf, signIn, signWithDemoWallet } from "./browser.ts";
import { done, MANY, settleAll, withStreams } from "./operation-page.ts";

const app = appUnderTest(() => ({ SETTLEMENTS_PER_SECOND: "1" }));
const browser = browserUnderTest(app);

test("revoked from another device, it pauses; there a signature lets it go on, without leaving the page", async () => {
  const laptop = await withStreams(app, browser, MANY);
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

test("signing out warns of what will pause, and a new sign-in resumes it", async () => {
  const page = await withStreams(app, browser, MANY);
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
