// Sessions bound to a device key in a real browser, through outages, restarts and more sign-ins.
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { launchChromium } from "../browser/chromium.ts";
import {
  accessIsOver,
  alarmsOf,
  deviceChromiumUnderTest,
  isBound,
  loads,
  seenFrom,
  shown,
  signInBound,
  signInOn,
} from "../browser/device-chromium.ts";
import { deviceServiceUnderTest } from "../support/device-service.ts";

const MINUTE_MS = 60_000;
const browsers = deviceChromiumUnderTest();
const lives20s = deviceServiceUnderTest(20_000);

test("a page without a script goes through five lives of 20 s by page loads alone, without a redirect", async () => {
  const browser = await browsers.open();
  const sessionId = await signInBound(browser, lives20s());
  const seen = seenFrom(lives20s());
  for (let life = 1; life <= 5; life += 1) {
    await accessIsOver(browser);
    await loads(browser.page, lives20s(), sessionId);
  }
  expect(seen()).toEqual(
    Array.from({ length: 5 }, () =>
      expect.objectContaining({ path: "/account", status: 200, hasAccess: true }),
    ),
  );
  expect(alarmsOf(lives20s(), sessionId)).toEqual([]);
});
describe("with short lives", () => {
  const service = deviceServiceUnderTest(4_000);

  test.each(["refreshIsAway", "storeFails"] as const)(
    "nobody is signed out where for a minute %s, in two tabs either",
    async (trouble) => {
      const browser = await browsers.open();
      const sessionId = await signInBound(browser, service());
      const second = await browser.context.newPage();
      await accessIsOver(browser);
      const seen = seenFrom(service());
      service().state[trouble] = true;
      const until = Date.now() + MINUTE_MS;
      const tabs = [browser.page, second];
      for (const page of tabs) await page.goto(`${service().origin}/account`);
      while (Date.now() < until) {
        // They load themselves again and again.
        for (const page of tabs)
          await expect.poll(() => shown(page).catch(() => "")).toContain("Nothing is lost");
        await delay(1_000);
      }
      const statuses = seen().map(({ status }) => status);
      expect(statuses.length).toBeGreaterThan(20);
      expect(statuses.filter((status) => status !== 503 && status !== 303)).toEqual([]);
      service().state[trouble] = false;
      // The pages try again by themselves.
      for (const page of tabs) {
        await expect
          .poll(() => shown(page).catch(() => ""), { timeout: 30_000 })
          .toBe(`Account ${sessionId}`);
      }
      expect(alarmsOf(service(), sessionId)).toEqual([]);
    },
  );

  test("outlives a restart of the browser, and a sign-in after the sign-out is bound anew", async () => {
    const first = await browsers.open();
    const sessionId = await signInBound(first, service());
    const browser = await first.restart();
    await accessIsOver(browser);
    await loads(browser.page, service(), sessionId);
    await browser.page.evaluate(async () => fetch("/api/auth/logout", { method: "POST" }));
    await browser.page.goto(`${service().origin}/account`);
    expect(new URL(browser.page.url()).pathname).toBe("/sign-in");
    const again = await signInBound(browser, service());
    expect(again).not.toBe(sessionId);
  });

  test("two sign-ins in one browser leave one session, and its owner is told of no thief", async () => {
    const browser = await browsers.open();
    await signInBound(browser, service());
    const newer = await signInBound(browser, service());
    for (let life = 1; life <= 3; life += 1) {
      await accessIsOver(browser);
      await loads(browser.page, service(), newer);
    }
    const start = service().seen.length;
    await accessIsOver(browser);
    await loads(browser.page, service(), newer);
    const refused = service()
      .seen.slice(start)
      .filter(({ status }) => status === 401);
    expect([refused, alarmsOf(service(), newer)]).toEqual([[], []]);
  });

  test("a browser without device keys goes on as before: by the bounce", async () => {
    const browser = await launchChromium();
    const context = await browser.newContext();
    const page = await context.newPage();
    const sessionId = await signInOn(page, service());
    await accessIsOver({ context });
    const seen = seenFrom(service());
    await loads(page, service(), sessionId);
    expect(seen().map(({ path }) => path.split("?")[0])).toContain("/api/auth/refresh");
    expect(isBound(service(), sessionId)).toBe(false);
    await browser.close();
  });
});
