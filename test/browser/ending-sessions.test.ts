// Sessions that are ended from a page: in another browser, everywhere else, and here.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { root } from "../../scripts/setup/root.mjs";
import { appUnderTest } from "../support/app-under-test.ts";
import { browserUnderTest, lookAgain, seesSession, sessionOf, signWithDemoWallet } from "./browser.ts";
import { alsoSignedIn, confirm, rows, seesEnd, signedIn } from "./two-browsers.ts";

const app = appUnderTest();
const browser = browserUnderTest(app);

/** Ends the session of a page as somebody does who sits at the server. */
async function revokeAsOperator(sessionId: string): Promise<void> {
  const bin = join(root, "packages/wallet-session/bin/wallet-session.js");
  const env = { ...app.server.settings, NODE_ENV: "development" as const };
  await promisify(execFile)(process.execPath, [bin, "sessions", "revoke", sessionId], { env });
}

test("a session ended from another browser says so in plain words, and signing in again is one step away", async () => {
  const laptop = await signedIn(browser);
  const phone = await alsoSignedIn(browser, laptop.page);
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
  const [watching, away] = [await signedIn(browser), await signedIn(browser)];
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

test("ending all others keeps this one", async () => {
  const laptop = await signedIn(browser);
  const others = await Promise.all([alsoSignedIn(browser, laptop.page), alsoSignedIn(browser, laptop.page)]);
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

test("a page that is opened asks for the list of sessions once", async () => {
  const { page } = await signedIn(browser);
  const asked: string[] = [];
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith("/api/")) asked.push(pathname);
  });
  page.on("framenavigated", () => asked.splice(0));
  await page.reload();
  await seesSession(page);
  // Once its event stream is open, it asks again for what events tell of: whatever else it asks for then is under way too.
  const count = (path: string) => asked.filter((other) => other === path).length;
  await expect.poll(() => count("/api/operations")).toBeGreaterThanOrEqual(2);
  expect([count("/api/auth/sessions"), count("/api/auth/alarms")]).toEqual([1, 1]);
});
