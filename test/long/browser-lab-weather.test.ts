// The lab where time goes by, or the network: each button does what it says.
import { describe, expect, test } from "vitest";
import { browserUnderTest, isAlive } from "../browser/browser.ts";
import { openLab, SIGNATURES, show } from "../browser/lab-page.ts";
import { appUnderTest } from "../support/app-under-test.ts";

const app = appUnderTest(() => ({ ACCESS_TOKEN_TTL: "12s", REFRESH_LEEWAY: "3s" }));
const browser = browserUnderTest(app, { sideBySide: true });

describe.concurrent("the lab shows", () => {
  test("sleep: the first call is refused, and cured without a signature", async () => {
    const page = await openLab(browser);
    const log = await show(page, "Sleep");
    expect(log).toMatch(
      /Client GET \/api\/auth\/session → 401 access_token_expired.*Client POST \/api\/auth\/refresh → 200.*Client GET \/api\/auth\/session → 200/,
    );
    expect(await page.getByText(SIGNATURES).count()).toBe(1);
  });

  test("offline: requests fail, nobody is signed out, the retry carries the same key", async () => {
    const page = await openLab(browser);
    const log = await show(page, "Offline");
    const keys = [...log.matchAll(/its key …(\w+), and is still signed in/g)].map(([, key]) => key);
    expect(keys.length).toBeGreaterThan(1);
    expect(new Set(keys).size).toBe(1);
    expect(log).toContain("Retried with the same key, and this time it came through");
    expect(log).toContain("The connection is gone; the session is not.");
    expect(await page.getByText(SIGNATURES).count()).toBe(1);
  });

  test("a session that is left alone renews itself, until it is ended", async () => {
    const page = await openLab(browser);
    await isAlive(page);
    await page.getByRole("button", { name: "Start a session" }).click();
    await page.getByText("refresh token 2 in place of 1").waitFor({ timeout: 30_000 });
    await page.getByText("The same connection goes on.").first().waitFor();
    await page.getByRole("button", { name: "End the session" }).click();
    await page.getByText("Signed out: the session has ended").waitFor();
    expect(await page.getByText(SIGNATURES).count()).toBe(1);
  });
});
