import type { Page } from "playwright-core";

/**
 * Stops all that a page does, as browsers do with tabs that nobody looks at: no timer, message or answer reaches its
 * scripts, and what they hold they go on holding. The function returned lets it go on.
 */
export async function freeze(page: Page): Promise<() => Promise<void>> {
  const debug = await page.context().newCDPSession(page);
  await debug.send("Debugger.enable");
  await debug.send("Debugger.pause");
  return async () => {
    await debug.send("Debugger.resume");
    await debug.detach();
  };
}
