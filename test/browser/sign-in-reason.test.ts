// What the sign-in page says of the session that was.
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";
import { browserUnderTest, seesSession, signWithDemoWallet } from "./browser.ts";
import { alsoSignedIn, confirm, seesEnd, signedIn } from "./two-browsers.ts";

const app = appUnderTest();
const browser = browserUnderTest(app);

describe("the sign-in page says why one has come to it", () => {
  const says = (page: Page, title: string) => page.getByText(title, { exact: true });

  test("on a cold load, when another device has ended the session meanwhile", async () => {
    const laptop = await signedIn(browser);
    const phone = await alsoSignedIn(browser, laptop.page);
    await laptop.page.goto("about:blank");
    await phone.page.getByRole("button", { name: "End all others" }).click();
    await confirm(phone.page, "End all other sessions?", "End them");
    await laptop.page.goto("/sessions");
    await laptop.page.waitForURL("**/sign-in?next=%2Fsessions&reason=session_revoked");
    await says(laptop.page, "This session was ended.").waitFor();
  });

  test("when the page that has said so is loaded again, until somebody signs in", async () => {
    const laptop = await signedIn(browser);
    const phone = await alsoSignedIn(browser, laptop.page);
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
