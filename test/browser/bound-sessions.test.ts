// Sessions that are tied to a key, on the page that lists them: one of a browser with device keys, and a copy of it that is tried.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { createWalletKeypair, type WalletKeypair } from "wallet-session/testing";
import {
  createDeviceBrowser,
  type DeviceBrowser,
} from "../../packages/wallet-session/test/device-browser.ts";
import { appUnderTest } from "../support/app-under-test.ts";
import { expectAccessible } from "./axe.ts";
import { browserUnderTest, lookAgain, seesSession, signIn } from "./browser.ts";
import { rows } from "./two-browsers.ts";

const app = appUnderTest();
const browser = browserUnderTest(app);

/** A browser with device keys, whose session is bound. */
async function boundBrowser(key: WalletKeypair): Promise<DeviceBrowser> {
  const { publicUrl: origin } = app.server;
  const bound = createDeviceBrowser({ fetch: (request) => fetch(request), origin, now: Date.now });
  const { status } = await bound.request("POST", "/api/auth/wallet", {
    headers: { "Content-Type": "application/json", "Session-Transport": "cookie" },
    body: JSON.stringify(await app.client.answerFor(key)),
  });
  expect(status).toBe(200);
  await bound.settled();
  await bound.request("GET", "/api/auth/session");
  await bound.settled();
  // A session's id is no secret.
  for (const [name, { value }] of bound.jar()) if (!name.endsWith("_session")) app.witness.add(value);
  return bound;
}

/** What somebody gets who has the whole jar. */
async function steal(bound: DeviceBrowser): Promise<{ status: number; code: unknown }> {
  const jar = [...bound.jar()].map(([name, { value }]) => `${name}=${value}`).join("; ");
  const headers = { Origin: app.server.publicUrl, Cookie: jar };
  const { status, text } = await app.client.send("POST", "/api/auth/refresh", { headers });
  return { status, code: JSON.parse(text).code };
}

const notice = (page: Page, where: RegExp) =>
  page.getByRole("status").filter({ has: page.getByText(where, { exact: true }) });

test("a session says that it is tied to its device, and the others hear of a copy that was tried", async () => {
  const key = createWalletKeypair();
  const page = await signIn(await browser.open({ walletOf: key }));
  const bound = await boundBrowser(key);
  await lookAgain(page);
  await rows(page).getByText("Tied to its device", { exact: true }).waitFor();
  expect(
    await rows(page)
      .getByText(/^Tied to/)
      .count(),
  ).toBe(1);

  expect(await steal(bound)).toEqual({ status: 401, code: "proof_missing" });
  await lookAgain(page);
  const told = notice(page, /^Somebody tried a copy of your session on .*\.$/);
  await told.waitFor();
  await expectAccessible(page);
  expect((await bound.request("GET", "/api/auth/session")).status).toBe(200);

  await page.getByRole("button", { name: /^Dismiss the notice about / }).click();
  await told.waitFor({ state: "detached" });
  await page.reload();
  await seesSession(page);
  expect(await told.count()).toBe(0);
});

test("its own page says the same of itself", async () => {
  const bound = await boundBrowser(createWalletKeypair());
  expect((await steal(bound)).status).toBe(401);
  const context = await browser.open();
  const { hostname: domain } = new URL(app.server.publicUrl);
  const cookies = [...bound.jar()].map(([name, { value, path }]) => ({
    name,
    value,
    path,
    domain,
    secure: true,
  }));
  await context.addCookies(cookies);
  const page = await context.newPage();
  await page.goto("/sessions");
  await seesSession(page);
  await rows(page).getByText("Tied to this device", { exact: true }).waitFor();
  await notice(page, /^Somebody tried a copy of your session in this browser\.$/).waitFor();
  await expectAccessible(page);
});
