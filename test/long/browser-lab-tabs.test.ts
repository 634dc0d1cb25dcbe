// The lab: two tabs at once, against a real server.
import { describe, expect, test } from "vitest";
import { browserUnderTest, sessionOf, signIn } from "../browser/browser.ts";
import { openLab, show } from "../browser/lab-page.ts";
import { appUnderTest } from "../support/app-under-test.ts";

const app = appUnderTest(() => ({ ACCESS_TOKEN_TTL: "12s", REFRESH_LEEWAY: "3s" }));
const browser = browserUnderTest(app);

describe("two tabs refresh at once, and both go on", () => {
  test("as a session of the lab's own, which is gone afterwards", async () => {
    const page = await openLab(browser);
    const log = await show(page, "Two tabs");
    expect(log).toContain("Two requests, and the generation rose by 1, to 2.");
    expect(log).toContain("Asked once more, a moment later: the generation is 2.");
    expect(log).toMatch(/Tab A POST \/api\/auth\/logout → 204/);
    expect((await page.context().cookies()).map(({ name }) => name)).toEqual([]);
  });

  test("as the session of who is signed in, which goes on", async () => {
    const context = await browser.open();
    const before = await signIn(context);
    const { session_id } = await sessionOf(before);
    await before.close();
    const page = await context.newPage();
    await page.goto("/lab");
    const log = await show(page, "Two tabs");
    expect(log).toContain("the two tabs use its session");
    expect(log).toContain("Two requests, and the generation rose by 1");
    expect(log).not.toContain("/logout");
    expect(await sessionOf(page)).toMatchObject({ session_id });
  });
});
