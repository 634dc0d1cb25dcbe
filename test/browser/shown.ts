import type { BrowserContext } from "playwright-core";

/** A line of text that came into sight. */
export interface Shown {
  readonly text: string;
  /** By the machine's clock, in milliseconds. */
  readonly at: number;
}

/**
 * From now on, each page that the context loads tells every line of text that comes into sight in it, for however short a
 * time: an array that grows, and may be emptied. What is in the document and not to be seen does not count.
 */
export async function rememberShown(context: BrowserContext): Promise<Shown[]> {
  const shown: Shown[] = [];
  await context.exposeFunction("tellShown", (lines: Shown[]) => void shown.push(...lines));
  await context.addInitScript(() => {
    let before = new Set<string>();
    const look = () => {
      // biome-ignore lint/performance/useDomNodeTextContent: what is in the document and hidden was never shown
      const lines = new Set((document.body?.innerText ?? "").split("\n").filter((line) => /\S/.test(line)));
      const fresh = [...lines].filter((line) => !before.has(line));
      before = lines;
      const at = Date.now();
      if (fresh.length > 0) Reflect.get(window, "tellShown")(fresh.map((text) => ({ text, at })));
    };
    new MutationObserver(look).observe(document, {
      subtree: true,
      childList: true,
      characterData: true,
      attributes: true,
      attributeFilter: ["class", "hidden", "open", "style"],
    });
  });
  return shown;
}
