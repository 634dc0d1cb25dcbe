// Access tokens that have ended, in a real browser: the person stays signed in and notices nothing.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";
import { ACCESS_COOKIE, REFRESH_COOKIE, RETRY_COOKIE, SESSION_COOKIE } from "../support/cookies.ts";
import {
  browserUnderTest,
  jarOf,
  letAccessEnd,
  listed,
  lookAgain,
  seesSession,
  sessionOf,
  signIn,
} from "./browser.ts";

const app = appUnderTest();
const browser = browserUnderTest(app);

const REFRESH = "**/api/auth/refresh";

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
  expect([...(await jarOf(context)).keys()].sort()).toEqual([ACCESS_COOKIE, SESSION_COOKIE, REFRESH_COOKIE]);
});

test("the bounce brings a page load back with a new access token", async () => {
  const context = await browser.open();
  const page = await signIn(context);
  await letAccessEnd(context);
  await page.goto("/api/auth/refresh?next=/sessions");
  await seesSession(page);
  expect(await listed(page)).toMatchObject([{ current: true, generation: 2 }]);
});

test("a refresh whose answer is lost is asked for again with the same key, and nobody is signed out", async () => {
  const context = await browser.open();
  const page = await signIn(context);

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
  // Only now: the page may look by itself, as soon as its script has started.
  await letAccessEnd(context);
  await lookAgain(page);
  await notRenewed.waitFor();
  await notRenewed.waitFor({ state: "detached" });
  await seesSession(page);

  const [key] = retryKeys;
  expect(key).toMatch(/^\d{1,10}(?:-\d{1,10}){5}$/);
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
