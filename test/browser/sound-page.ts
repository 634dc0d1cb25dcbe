import type { Page } from "playwright-core";
import { expect } from "vitest";

/** What the accessibility tree says of the page: one line for each role with its name. */
const outline = (page: Page) => page.locator("body").ariaSnapshot();

const NAMELESS = /^\s*- (?:button|link|textbox|checkbox|combobox|img|dialog|region)(?: \[[^\]]*\])*:?$/;

/** One first heading, one main part, and a name for all that can be pressed. */
export async function expectSound(page: Page): Promise<void> {
  const lines = (await outline(page)).split("\n");
  expect(lines.filter((line) => NAMELESS.test(line))).toEqual([]);
  expect(lines.filter((line) => /^\s*- main:?$/.test(line))).toHaveLength(1);
  const levels = lines.flatMap((line) => /- heading .*\[level=(\d)\]/.exec(line)?.[1] ?? []).map(Number);
  expect(levels.filter((level) => level === 1)).toHaveLength(1);
  for (const [at, level] of levels.entries()) expect(level).toBeLessThanOrEqual((levels[at - 1] ?? 0) + 1);
  expect(await page.locator("html").getAttribute("lang")).toBe("en");
  expect(await page.title()).toMatch(/\S/);
}
