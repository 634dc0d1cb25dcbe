// What axe finds on the page of the lab.
import axe from "axe-core";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { browserUnderTest } from "../browser/browser.ts";
import { openLab, show } from "../browser/lab-page.ts";
import { appUnderTest } from "../support/app-under-test.ts";

const app = appUnderTest(() => ({ ACCESS_TOKEN_TTL: "12s", REFRESH_LEEWAY: "3s" }));
const browser = browserUnderTest(app);

test.each(["light", "dark"] as const)(
  "axe finds nothing in %s colours, on a desk or on a phone, and nothing but the picture scrolls sideways",
  async (colorScheme) => {
    const page = await openLab(browser, { colorScheme, reducedMotion: "reduce" });
    expect(await violations(page)).toEqual([]);
    await show(page, "Lost answer");
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await violations(page)).toEqual([]);
      const overflow = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        return scrollWidth - clientWidth;
      });
      expect(overflow).toBe(0);
    }
  },
);

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } = Reflect.get(
      window,
      "axe",
    );
    const found = (await axe.run()).violations;
    return found.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  });
}
