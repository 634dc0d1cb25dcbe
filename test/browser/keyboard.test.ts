// The pages by the keyboard alone.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";
import { browserUnderTest, demoWalletOn, seesSession, signIn } from "./browser.ts";
import { installFreighter } from "./freighter-wallet.ts";
import { expectSound } from "./sound-page.ts";

const app = appUnderTest();
const browser = browserUnderTest(app);

/** What has the focus, by its label or text. */
const focused = (page: Page) =>
  page.evaluate(() => {
    const { activeElement, body } = document;
    if (activeElement === null || activeElement === body) return "nothing";
    return activeElement.getAttribute("aria-label") ?? activeElement.textContent;
  });

/** Presses Tab until the focus is on what bears this name, as those do who have no pointer. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let steps = 0; steps < 30; steps++) {
    await page.keyboard.press("Tab");
    if ((await focused(page)) === name) return;
  }
  throw new Error(`Tab never came to “${name}”.`);
}

test("the first stop of the keyboard leads past the header to the content", async () => {
  const context = await browser.open();
  await installFreighter(context);
  const page = await context.newPage();
  await page.goto("/sign-in");
  await page.keyboard.press("Tab");
  expect(await focused(page)).toBe("Skip to the content");
  await page.keyboard.press("Enter");
  await expect.poll(() => new URL(page.url()).hash).toBe("#main");
  await page.keyboard.press("Tab");
  expect(await focused(page)).toBe("Continue with Freighter");
});

test("the keyboard alone signs in, opens and leaves the question, ends others and signs out", async () => {
  const context = await browser.open();
  const page = await context.newPage();
  await page.goto("/sign-in?next=/sessions");
  await demoWalletOn(page);
  await tabTo(page, "Sign in with the demo wallet");
  await page.keyboard.press("Enter");
  await seesSession(page);
  await signIn(await browser.open({ walletOf: page }));
  await page.reload();
  await seesSession(page);
  await page.getByRole("button", { name: "End all others" }).waitFor();

  // The harmless answer is the first; Escape and it lead back to where the person was.
  await tabTo(page, "End all others");
  for (const leave of ["Escape", "Enter"]) {
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "End all other sessions?" });
    await dialog.waitFor();
    await expect.poll(() => focused(page)).toBe("Cancel");
    await expectSound(page);
    await page.keyboard.press(leave);
    await dialog.waitFor({ state: "detached" });
    await expect.poll(() => focused(page)).toBe("End all others");
  }

  // An answer that fails leads back there too.
  const endThem = async () => {
    await page.keyboard.press("Enter");
    await tabTo(page, "End them");
    await page.keyboard.press("Enter");
  };
  await page.route("**/api/auth/sessions", (route) =>
    route.request().method() === "DELETE" ? route.abort() : route.continue(),
  );
  await endThem();
  await page.getByText("Nothing was ended. The server could not be reached.").waitFor();
  await expect.poll(() => focused(page)).toBe("End all others");
  await page.unroute("**/api/auth/sessions");

  await endThem();
  await page.getByText("One other session has ended.").waitFor();
  await expect.poll(() => focused(page)).toBe("Where you are signed in");

  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Shift+Tab");
  await tabTo(page, "Sign out");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "You are signed out." }).waitFor();
  await expect.poll(() => focused(page)).toBe("You are signed out.");
  await page.keyboard.press("Tab");
  expect(await focused(page)).toBe("Sign in");
});
