// What every page owes to those who use it by keyboard or screen reader, and to the console.
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";
import {
  browserUnderTest,
  demoWalletOn,
  seesSession,
  seesStreams,
  sessionOf,
  signIn,
  signInToStreams,
} from "./browser.ts";
import { installFreighter } from "./freighter-wallet.ts";

const app = appUnderTest();
const browser = browserUnderTest(app);

/** What the accessibility tree says of the page: one line for each role with its name. */
const outline = (page: Page) => page.locator("body").ariaSnapshot();

const NAMELESS = /^\s*- (?:button|link|textbox|checkbox|combobox|img|dialog|region)(?: \[[^\]]*\])*:?$/;

async function expectSound(page: Page): Promise<void> {
  const lines = (await outline(page)).split("\n");
  expect(lines.filter((line) => NAMELESS.test(line))).toEqual([]);
  expect(lines.filter((line) => /^\s*- main:?$/.test(line))).toHaveLength(1);
  const levels = lines.flatMap((line) => /- heading .*\[level=(\d)\]/.exec(line)?.[1] ?? []).map(Number);
  expect(levels.filter((level) => level === 1)).toHaveLength(1);
  for (const [at, level] of levels.entries()) expect(level).toBeLessThanOrEqual((levels[at - 1] ?? 0) + 1);
  expect(await page.locator("html").getAttribute("lang")).toBe("en");
  expect(await page.title()).toMatch(/\S/);
}

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

describe("a clean console, one first heading, one main part and a name for all that can be pressed, on", () => {
  const pages: [name: string, path: string, shows: string][] = [
    ["the sign-in page without Freighter", "/sign-in", "Freighter is not installed in this browser."],
    ["a page of an account, for nobody", "/streams", "The page that you asked for belongs to an account."],
    ["a page that is not there", "/nowhere", "There is no page here."],
  ];
  test.each(pages)("%s", async (_, path, shows) => {
    const page = await (await browser.open()).newPage();
    const answer = await page.goto(path);
    expect(answer?.headers()["content-security-policy"]).toContain("default-src 'self'");
    await page.getByText(shows).waitFor();
    await expectSound(page);
  });

  test("the start page with Freighter", async () => {
    const context = await browser.open();
    const wallet = await installFreighter(context);
    wallet.allowed = true;
    const page = await context.newPage();
    await page.goto("/");
    await page.getByText("Active in Freighter:").waitFor();
    await expectSound(page);
  });

  test("the sessions", async () => {
    const page = await signIn(await browser.open());
    await expectSound(page);
  });
});

test("the tab's picture is there, by the name in the page and by the one that browsers ask for on their own", async () => {
  const page = await (await browser.open()).newPage();
  await page.goto("/");
  const named = await page
    .locator("link[rel=icon]")
    .evaluateAll((links) => links.map((link) => link.getAttribute("href") ?? ""));
  expect(named.some((href) => href.includes("/icon.svg"))).toBe(true);
  for (const href of [...named, "/favicon.ico"]) {
    const answer = await page.request.get(href);
    expect([answer.status(), answer.headers()["content-type"]]).toEqual([
      200,
      expect.stringMatching(/^image\//),
    ]);
  }
});

test("a page that cannot be drawn says so in its place, and is drawn at the next try", async () => {
  const context = await browser.open({ mayComplainOf: /TypeError/ });
  const page = await signInToStreams(context);
  const { session_id: sessionId } = await sessionOf(page);
  await context.route("**/api/streams?*", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), counts: null } });
  });
  await page.reload();
  await page.getByRole("heading", { level: 1, name: "This page could not be shown." }).waitFor();
  await expectSound(page);
  await context.unroute("**/api/streams?*");
  await page.getByRole("button", { name: "Try again" }).click();
  await seesStreams(page);
  expect(await sessionOf(page)).toMatchObject({ session_id: sessionId });
});

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
