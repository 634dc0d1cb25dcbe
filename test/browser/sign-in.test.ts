// Signing in with the demo wallet in a real browser, and what the browser then keeps.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";
import { ACCESS_COOKIE, REFRESH_COOKIE, RETRY_COOKIE, SESSION_COOKIE } from "../support/cookies.ts";
import {
  browserUnderTest,
  demoWalletOn,
  jarOf,
  lookAgain,
  PATIENTLY,
  seesSession,
  seesStreams,
  sessionOf,
  signIn,
  signWithDemoWallet,
} from "./browser.ts";

const app = appUnderTest();
const browser = browserUnderTest(app);

const TOKEN = /eyJ[\w-]+\.|wsr1_/;

/** All that a script planted in the page could read without asking the server. */
function withinReachOfScripts(page: Page): Promise<string> {
  return page.evaluate(async () =>
    JSON.stringify({
      cookie: document.cookie,
      local: { ...localStorage },
      session: { ...sessionStorage },
      caches: await caches.keys(),
      databases: await indexedDB.databases(),
      history: history.state,
      page: document.documentElement.outerHTML,
    }),
  );
}

test("one signature signs in, and a reload keeps the session", async () => {
  const page = await (await browser.open({ walletOf: null })).newPage();
  await page.goto("/sign-in?next=/sessions");
  await signWithDemoWallet(page);
  await seesSession(page);
  const { session_id, generation } = await sessionOf(page);
  await page.reload();
  await seesSession(page);
  expect(await sessionOf(page)).toMatchObject({ session_id, generation });
  expect(generation).toBe(1);
});

test("the start page signs in as well, and then leads to the streams", async () => {
  const page = await (await browser.open()).newPage();
  await page.goto("/");
  await signWithDemoWallet(page);
  await seesStreams(page);
  await page.goto("/");
  await page.getByRole("link", { name: "Open your streams" }).click();
  await seesStreams(page);
});

test("the jar holds the documented cookies and no other", async () => {
  const context = await browser.open();
  const page = await context.newPage();
  await page.goto("/sign-in?next=/sessions");
  await signWithDemoWallet(page);
  await seesSession(page);
  const now = Date.now() / 1_000;
  const jar = await jarOf(context);
  expect([...jar.keys()].sort()).toEqual([ACCESS_COOKIE, SESSION_COOKIE, REFRESH_COOKIE]);
  const common = { domain: "localhost", httpOnly: true, secure: true, sameSite: "Lax" };
  expect(jar.get(ACCESS_COOKIE)).toMatchObject({ ...common, path: "/" });
  expect(jar.get(REFRESH_COOKIE)).toMatchObject({ ...common, path: "/api/auth" });
  const isLeft = (name: string) => (jar.get(name)?.expires ?? 0) - now;
  expect(isLeft(ACCESS_COOKIE)).toBeGreaterThan(14 * 60);
  expect(isLeft(ACCESS_COOKIE)).toBeLessThanOrEqual(15 * 60);
  expect(isLeft(REFRESH_COOKIE)).toBeGreaterThan(6.9 * 86_400);
  expect(isLeft(REFRESH_COOKIE)).toBeLessThanOrEqual(7 * 86_400);
});

test("no token is within reach of a script, at rest or during a refresh", async () => {
  const context = await browser.open();
  const page = await signIn(context);
  expect(await page.evaluate(() => document.cookie)).toBe("");
  expect(await withinReachOfScripts(page)).not.toMatch(TOKEN);

  // What a script may see, it sees while a refresh is under way: the retry key.
  let duringRefresh = "";
  await context.route("**/api/auth/refresh", async (route) => {
    duringRefresh = await withinReachOfScripts(page);
    await route.continue();
  });
  await context.clearCookies({ name: ACCESS_COOKIE });
  await lookAgain(page);
  await expect.poll(() => sessionOf(page), PATIENTLY).toMatchObject({ generation: 2 });
  expect(duringRefresh).not.toMatch(TOKEN);
  expect(JSON.parse(duringRefresh).cookie).toMatch(
    new RegExp(`^${RETRY_COOKIE}=\\d{1,10}(?:-\\d{1,10}){5}$`),
  );
  expect(await page.evaluate(() => document.cookie)).toBe("");
});

test("another key is another account, and the page says which", async () => {
  const page = await (await browser.open({ walletOf: null })).newPage();
  await page.goto("/sign-in?next=/sessions");
  const wallet = await demoWalletOn(page);
  const address = wallet.getByText("…");
  const first = await address.textContent();
  await wallet.getByRole("button", { name: "Make another key" }).click();
  await expect.poll(() => address.textContent()).not.toBe(first);
  const second = (await address.textContent()) ?? "";
  await signWithDemoWallet(page);
  await seesSession(page);
  const [head = "", tail = ""] = second.split("…");
  await page.getByText(new RegExp(`^${head}\\w{44}${tail}$`)).waitFor();
});

test("a visitor who had to sign in first comes back to the wanted page, and to no other site", async () => {
  const page = await (await browser.open()).newPage();
  await page.goto("/streams?status=active&role=sender");
  await page.waitForURL("**/sign-in?next=*");
  await signWithDemoWallet(page);
  await page.waitForURL("**/streams?status=active&role=sender");
  await page.goto("/sign-in?next=//evil.example/");
  await page.getByRole("link", { name: "Go on" }).click();
  await seesStreams(page);
});
