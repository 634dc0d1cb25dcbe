// A script that somebody has planted in a page's HTML, where escaping has failed: the page's policy keeps it from running.
import { expect, test } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";
import { browserUnderTest, signInToStreams } from "./browser.ts";

const app = appUnderTest();
const browser = browserUnderTest(app);

const PLANTED = `<script>document.title = "planted"</script>
<img src="data:," onerror="document.title = 'planted'">
<a id="planted" href="javascript:document.title = 'planted'">planted</a>
<script src="data:text/javascript,document.title = 'planted'"></script>`;

test("does not run, and the page still does", async () => {
  const context = await browser.open({ mayComplainOf: /Content Security Policy|hydrat|#418|ERR_/i });
  const page = await signInToStreams(context);
  // The page alone: a list that it loads again may be under way when the test ends.
  await page.route(
    (url) => url.pathname === "/sessions",
    async (route) => {
      const response = await route.fetch();
      const html = await response.text();
      await route.fulfill({ response, body: html.replace("</body>", `${PLANTED}</body>`) });
    },
  );
  const refused: string[] = [];
  page.on("console", (message) => {
    if (/Content Security Policy/.test(message.text())) refused.push(message.text());
  });
  await page.goto("/sessions");
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.locator("#planted").evaluate((link: HTMLElement) => link.click());
  await expect.poll(() => refused.length).toBeGreaterThanOrEqual(4);
  expect(await page.title()).not.toBe("planted");
  // The page's own scripts run: the list is loaded by them.
  await page
    .getByRole("button", { name: /sign out/i })
    .first()
    .waitFor();
});
