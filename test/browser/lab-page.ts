// The page of the lab, and what it tells of what it did.
import type { BrowserContextOptions, Page } from "playwright-core";
import { type BrowserUnderTest, isAlive } from "./browser.ts";

const SCENARIO_LIMIT_MS = 90_000;

export async function openLab(browser: BrowserUnderTest, options?: BrowserContextOptions): Promise<Page> {
  const page = await (await browser.open(options)).newPage();
  await page.goto("/lab");
  return page;
}

/** Begins a session, presses a button of the lab and resolves with what the log says from there until the rule, in one line. */
export async function show(page: Page, name: string): Promise<string> {
  await isAlive(page);
  await page.getByRole("button", { name: "Start a session" }).click();
  await page.getByText("Open: it will tell what becomes of the session.").waitFor();
  await page.getByRole("button", { name, exact: true }).click();
  const rules = page.getByRole("log").getByText("The rule", { exact: true });
  await rules.last().waitFor({ timeout: SCENARIO_LIMIT_MS });
  const entries = await page.getByRole("log").getByRole("listitem").allInnerTexts();
  const lines = entries.map((entry) => entry.replaceAll(/\s+/g, " "));
  return lines.slice(lines.findLastIndex((line) => line.includes(`Lab ${name}. `))).join(" ");
}

export const SIGNATURES = "The wallet signed one challenge";
