// A session near its last day, with an operation under it.
import { expect, test } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";
import { browserUnderTest, button, PATIENTLY, sessionOf } from "./browser.ts";
import { MANY, settleAll, withStreams } from "./operation-page.ts";

const app = appUnderTest(() => ({ SETTLEMENTS_PER_SECOND: "1" }));
const browser = browserUnderTest(app);

test("a session near its last day is extended by one signature on the page, and what runs under it goes on", async () => {
  const page = await withStreams(app, browser, MANY);
  const context = page.context();
  // The page's clock as it will be in 29 days and a half; the server's stays.
  await context.addInitScript(() => {
    const now = Date.now;
    Date.now = () => now() + Number(Reflect.get(window, "laterBy") ?? 0);
  });
  await page.reload();
  await settleAll(page);
  const path = new URL(page.url()).pathname;
  const { session_id: before } = await sessionOf(page);
  const warning = page.getByText("Your session ends on");
  expect(await warning.count()).toBe(0);
  await page.evaluate(() => Reflect.set(window, "laterBy", 29.5 * 86_400_000));
  await warning.waitFor();
  await button(page, "Sign once").click();
  await expect.poll(async () => (await sessionOf(page)).session_id, PATIENTLY).not.toBe(before);
  await page.evaluate(() => Reflect.set(window, "laterBy", 0));
  await warning.waitFor({ state: "detached" });

  expect(new URL(page.url()).pathname).toBe(path);
  const { session_id: after } = await sessionOf(page);
  const grant = () =>
    page.evaluate(async (operation) => {
      const { status, session_id } = await (await fetch(`/api${operation}`)).json();
      return { status, session_id };
    }, path);
  await expect.poll(grant, PATIENTLY).toEqual({ status: "running", session_id: after });
});
