import { expect, test } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";
import { browserUnderTest, seesSession } from "./browser.ts";
import { alsoSignedIn, rows, seesEnd, signedIn } from "./two-browsers.ts";

const app = appUnderTest();
const browser = browserUnderTest(app);

test("signing out empties the jar, in every tab, and leaves the other browsers alone", async () => {
  const laptop = await signedIn(browser);
  const phone = await alsoSignedIn(browser, laptop.page);
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
  const laptop = await signedIn(browser);
  const phone = await alsoSignedIn(browser, laptop.page);
  await laptop.page.getByRole("button", { name: "Sign out everywhere" }).click();
  await laptop.page
    .getByRole("dialog", { name: "Sign out everywhere?" })
    .getByRole("button", { name: "End all sessions" })
    .click();
  await seesEnd(laptop, "You are signed out.");
  await seesEnd(phone, "This session was ended.");
});
