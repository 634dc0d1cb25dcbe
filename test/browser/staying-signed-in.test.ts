// Access tokens that have ended, in a real browser: the person stays signed in and notices nothing.
import type { BrowserContext, Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";
import { storedSession } from "../support/database.ts";
import { ACCESS_COOKIE, REFRESH_COOKIE, RETRY_COOKIE } from "../support/session-client.ts";
import {
  browserUnderTest,
  jarOf,
  lookAgain,
  PATIENTLY,
  seesSession,
  sessionOf,
  signIn,
  signWithDemoWallet,
} from "./browser.ts";

const app = appUnderTest();
const browser = browserUnderTest(app);

const REFRESH = "**/api/auth/refresh";

/** The jar as it is after 15 minutes. */
const letAccessEnd = (context: BrowserContext) => context.clearCookies({ name: ACCESS_COOKIE });

/** From here on, the page keeps every heading that it ever shows, and for however short a time. */
async function rememberHeadings(page: Page): Promise<() => Promise<string[]>> {
  await page.addInitScript(() => {
    const shown = new Set<string>();
    Object.assign(window, { headingsShown: shown });
    new MutationObserver(() => {
      for (const { textContent } of document.querySelectorAll("h1")) shown.add(textContent);
    }).observe(document, { subtree: true, childList: true, characterData: true });
  });
  return () =>
    page.evaluate(() => {
      const shown: unknown = Reflect.get(window, "headingsShown");
      return shown instanceof Set ? [...shown] : [];
    });
}

/** The list as the page's own server tells it: one session, and how often it was renewed. */
async function listed(page: Page): Promise<{ current: boolean; generation: number }[]> {
  const { sessions } = await page.evaluate(async () => (await fetch("/api/auth/sessions")).json());
  return sessions;
}

test("a page opened after the access token has ended shows the session, and at no time a signed-out one", async () => {
  const context = await browser.open();
  const page = await signIn(context);
  const before = await sessionOf(page);
  await page.close();
  await letAccessEnd(context);

  const reopened = await context.newPage();
  const headings = await rememberHeadings(reopened);
  await reopened.goto("/sessions");
  await seesSession(reopened);
  expect(await headings()).toEqual(["Your sessions"]);
  expect(await sessionOf(reopened)).toMatchObject({ session_id: before.session_id, generation: 2 });
  expect([...(await jarOf(context)).keys()].sort()).toEqual([ACCESS_COOKIE, REFRESH_COOKIE]);
});

test("the bounce brings a page load back with a new access token", async () => {
  const context = await browser.open();
  const page = await signIn(context);
  await letAccessEnd(context);
  await page.goto("/api/auth/refresh?next=/sessions");
  await seesSession(page);
  expect(await listed(page)).toMatchObject([{ current: true, generation: 2 }]);
});

describe("two tabs that refresh at once", () => {
  async function twoTabs(context: BrowserContext): Promise<[Page, Page]> {
    const first = await signIn(context);
    const second = await context.newPage();
    await second.goto("/sessions");
    await seesSession(second);
    await letAccessEnd(context);
    return [first, second];
  }

  async function expectBothSignedIn([first, second]: [Page, Page]): Promise<void> {
    await Promise.all([seesSession(first), seesSession(second)]);
    const sessions = await listed(first);
    expect(sessions).toMatchObject([{ current: true, generation: 2 }]);
    expect(await listed(second)).toEqual(sessions);
    const { session_id } = await sessionOf(first);
    expect(storedSession(app.server, session_id)).toEqual({ generation: 2, revokedReason: null });
  }

  test("stay signed in", async () => {
    const tabs = await twoTabs(await browser.open());
    await Promise.all(tabs.map((tab) => tab.reload()));
    await expectBothSignedIn(tabs);
  });

  test("stay signed in where the browser has no locks and both requests are on their way", async () => {
    const context = await browser.open();
    await context.addInitScript(() => Object.defineProperty(navigator, "locks", { value: undefined }));
    const tabs = await twoTabs(context);
    const bothUnderWay = Promise.withResolvers<void>();
    let underWay = 0;
    await context.route(REFRESH, async (route) => {
      underWay += 1;
      if (underWay === 2) bothUnderWay.resolve();
      await bothUnderWay.promise;
      await route.continue();
    });
    // The tabs show the session all the while: whether they are renewed, the answers tell.
    const renewed = tabs.map((tab) => tab.waitForResponse(REFRESH));
    await Promise.all(tabs.map(lookAgain));
    for (const answer of await Promise.all(renewed)) expect(answer.status()).toBe(200);
    await expectBothSignedIn(tabs);
    expect(underWay).toBe(2);
  });
});

test("a sign-in is not answered before the renewal of another tab was given up", async () => {
  const context = await browser.open();
  await (await signIn(context)).close();
  const page = await context.newPage();
  // As a browser does in the background. By itself, the page gives nothing up.
  await page.addInitScript(() => {
    const after = window.setTimeout;
    const slowly = (task: () => void, ms = 0) => after(task, ms < 5_000 ? ms : 3_600_000);
    Object.assign(window, { setTimeout: slowly });
  });
  await page.goto("/sessions");
  await seesSession(page);
  const before = await sessionOf(page);

  await letAccessEnd(context);
  const underWay = page.waitForRequest(REFRESH);
  const givenUp = page.waitForEvent("requestfailed", {
    predicate: (request) => request.url().endsWith("/api/auth/refresh"),
    timeout: 0,
  });
  await context.route(REFRESH, () => {});
  await lookAgain(page);
  await underWay;

  const other = await context.newPage();
  await other.goto("/sign-in?next=/sessions");
  await context.route("**/api/auth/wallet", async (route) => {
    await givenUp;
    await route.continue();
  });
  const answered = other.waitForResponse("**/api/auth/wallet");
  await signWithDemoWallet(other);
  expect((await answered).status()).toBe(200);
  await context.unroute(REFRESH);
  for (const tab of [page, other]) {
    await seesSession(tab);
    await expect.poll(async () => (await sessionOf(tab)).session_id, PATIENTLY).not.toBe(before.session_id);
  }
  expect(await sessionOf(page)).toEqual(await sessionOf(other));
});

test("a refresh whose answer is lost is asked for again with the same key, and nobody is signed out", async () => {
  const context = await browser.open();
  const page = await signIn(context);
  await letAccessEnd(context);

  // The server rotates, and no answer reaches the jar before the page has said so.
  const notRenewed = page.getByText("Your session could not be renewed just now.");
  const retryKeys: (string | undefined)[] = [];
  await context.route(REFRESH, async (route) => {
    const jar = await jarOf(context);
    retryKeys.push(jar.get(RETRY_COOKIE)?.value);
    if (await notRenewed.isVisible()) return route.continue();
    const cookies = [...jar.values()].map(({ name, value }) => `${name}=${value}`).join("; ");
    const lost = await app.client.send("POST", "/api/auth/refresh", {
      headers: { Origin: app.server.publicUrl, Cookie: cookies },
    });
    expect(lost.status).toBe(200);
    return route.abort("connectionreset");
  });
  await lookAgain(page);
  await notRenewed.waitFor();
  await notRenewed.waitFor({ state: "detached" });
  await seesSession(page);

  const [key] = retryKeys;
  expect(key).toMatch(/^[0-9a-f]{48}$/);
  expect(retryKeys.length).toBeGreaterThan(1);
  expect(retryKeys.filter((other) => other !== key)).toEqual([]);
  expect(await listed(page)).toMatchObject([{ current: true, generation: 2 }]);
});

test("a server that is out of reach is no reason to be signed out", async () => {
  const context = await browser.open();
  const page = await signIn(context);
  await context.route("**/api/**", (route) => route.abort());
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByText("You are still signed in. The server could not be reached.").waitFor();

  const headings = await rememberHeadings(page);
  await page.reload();
  const tryAgain = page.getByRole("button", { name: "Try again" });
  await tryAgain.waitFor();
  // The page tries again by itself, too. What it asks from here on reaches the server once the button is pressed.
  const pressed = Promise.withResolvers<void>();
  await context.route("**/api/**", async (route) => {
    await pressed.promise;
    await route.continue();
  });
  await tryAgain.click();
  pressed.resolve();
  await seesSession(page);
  expect(await headings()).toEqual(["Your sessions"]);
});
