// Two tabs of one browser that renew or sign in at the same time.
import type { BrowserContext, Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";
import { storedSession } from "../support/database.ts";
import {
  browserUnderTest,
  letAccessEnd,
  listed,
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

describe("two tabs that refresh at once", () => {
  async function twoTabs(context: BrowserContext): Promise<[Page, Page]> {
    const first = await signIn(context);
    const second = await context.newPage();
    await second.goto("/sessions");
    await seesSession(second);
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
    const context = await browser.open();
    const tabs = await twoTabs(context);
    await letAccessEnd(context);
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
    // The tabs show the session all the while: whether they are renewed, the answers tell. A tab may look by itself, as
    // soon as its script has started.
    const renewed = tabs.map((tab) => tab.waitForResponse(REFRESH));
    await letAccessEnd(context);
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

  const underWay = page.waitForRequest(REFRESH);
  const givenUp = page.waitForEvent("requestfailed", {
    predicate: (request) => request.url().endsWith("/api/auth/refresh"),
    timeout: 0,
  });
  await context.route(REFRESH, () => {});
  await letAccessEnd(context);
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
  expect((await sessionOf(page)).session_id).toBe((await sessionOf(other)).session_id);
});
