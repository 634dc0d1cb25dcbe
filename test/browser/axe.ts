import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { expect } from "vitest";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const THEMES = ["light", "dark"] as const;
const SIZES = { desk: { width: 1_280, height: 900 }, phone: { width: 390, height: 844 } };
const SEVERE = ["serious", "critical"];

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly targets: readonly string[];
}

/** What axe has against the page as it stands, of those things that keep people from using it. */
function violations(page: Page): Promise<Violation[]> {
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: typeof import("axe-core") };
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    return violations.map(({ id, impact, nodes }) => ({
      id,
      impact: impact ?? "none",
      targets: nodes.map(({ target }) => target.join(" ")),
    }));
  });
}

/** Nothing serious or critical, in either theme, at either width. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(AXE);
  const found: object[] = [];
  for (const theme of THEMES) {
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
      await page.setViewportSize(viewport);
      const severe = (await violations(page)).filter(({ impact }) => SEVERE.includes(impact));
      found.push(...severe.map((violation) => ({ theme, size, ...violation })));
    }
  }
  expect(found).toEqual([]);
}
