// Sessions bound to a device key, in a browser that does it (Chromium 150, with keys in software). The pages have no script. What
// takes longer is in test/long.
import { expect, test } from "vitest";
import { deviceServiceUnderTest } from "../support/device-service.ts";
import {
  accessIsOver,
  alarmsOf,
  deviceChromiumUnderTest,
  loads,
  seenFrom,
  signInBound,
} from "./device-chromium.ts";

/** The cookie of a bound session ends a quarter of this earlier. */
const service = deviceServiceUnderTest(4_000);
const browsers = deviceChromiumUnderTest();

test("is bound after the sign-in without a script, goes on by page loads and uploads, and ends with the sign-out", async () => {
  const browser = await browsers.open();
  const { page } = browser;
  const sessionId = await signInBound(browser, service());
  const seen = seenFrom(service());
  await accessIsOver(browser);
  await loads(page, service(), sessionId);
  // It was held until the cookie was there: no redirect.
  expect(seen()).toEqual([expect.objectContaining({ path: "/account", status: 200, hasAccess: true })]);

  await accessIsOver(browser);
  const [uploaded, opened] = await page.evaluate(async () => {
    const upload = fetch("/upload", { method: "POST", body: new Uint8Array(50_000) });
    const stream = new EventSource("/feed");
    const open = new Promise((resolve) => {
      stream.onopen = () => resolve(true);
      stream.onerror = () => resolve(false);
    });
    return [await (await upload).json(), await open];
  });
  expect([uploaded, opened]).toEqual([{ sessionId, bytes: 50_000 }, true]);
  const listed = await page.evaluate(async () => (await fetch("/api/auth/sessions")).json());
  expect(listed.sessions).toEqual([expect.objectContaining({ id: sessionId, binding: "device" })]);

  await page.evaluate(async () => fetch("/api/auth/logout", { method: "POST" }));
  const refreshes = () => service().seen.filter(({ path }) => path === "/api/auth/device/refresh").length;
  await page.goto(`${service().origin}/account`);
  expect(new URL(page.url()).pathname).toBe("/sign-in");
  const before = refreshes();
  await page.goto(`${service().origin}/account`);
  expect(refreshes()).toBe(before);
  expect(alarmsOf(service(), sessionId)).toEqual([]);
});

test("a copied jar opens nothing in another browser, and the one that it was copied from goes on", async () => {
  const [owner, thief] = await Promise.all([browsers.open(), browsers.open()]);
  const sessionId = await signInBound(owner, service());
  await accessIsOver(owner);
  const stolen = await owner.context.cookies();
  expect(stolen.map(({ name }) => name.replace(/.*_/, "")).sort()).toEqual(["refresh", "session"]);
  await thief.context.addCookies(stolen);
  await thief.page.goto(`${service().origin}/account`);
  const { pathname, searchParams } = new URL(thief.page.url());
  expect([pathname, searchParams.get("reason")]).toEqual(["/sign-in", "proof_missing"]);
  const refreshed = await thief.page.evaluate(async () =>
    (await fetch("/api/auth/refresh", { method: "POST" })).json(),
  );
  expect(refreshed.code).toBe("proof_missing");
  await loads(owner.page, service(), sessionId);
  expect(alarmsOf(service(), sessionId)).toEqual(["proof_failed"]);
});
