// The page that shows the OpenAPI document.
import { expect, test } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";
import { contractWith } from "../support/http-client.ts";
import { browserUnderTest } from "./browser.ts";

const app = appUnderTest();
const browser = browserUnderTest(app);

test("shows each operation by the page's policy, sends nothing of its own, and fits a phone", async () => {
  const context = await browser.open({ viewport: { width: 390, height: 844 } });
  const asked: string[] = [];
  context.on("request", (request) => asked.push(new URL(request.url()).origin));
  const page = await context.newPage();
  await page.goto("/docs/api");
  const operations = page.locator(".opblock");
  await operations.first().waitFor();
  const described = Object.values(contractWith(app.server).document.paths).flatMap((path) =>
    Object.keys(path),
  );
  expect(await operations.count()).toBe(described.length);

  await page.getByRole("button", { name: /^POST \/api\/auth\/refresh/ }).click();
  await page.getByText("refresh_token_reused").first().waitFor();
  expect(await page.getByRole("button", { name: /try it out|execute|authorize/i }).count()).toBe(0);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
  expect(new Set(asked)).toEqual(new Set([app.server.publicUrl]));
});
