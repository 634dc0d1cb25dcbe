// What every page owes to those who use it by keyboard or screen reader, and to the console.
import { describe, expect, test } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";
import { browserUnderTest, seesStreams, sessionOf, signIn, signInToStreams } from "./browser.ts";
import { installFreighter } from "./freighter-wallet.ts";
import { expectSound } from "./sound-page.ts";

const app = appUnderTest();
const browser = browserUnderTest(app);

describe("a clean console, one first heading, one main part and a name for all that can be pressed, on", () => {
  const pages: [name: string, path: string, shows: string][] = [
    ["the sign-in page without Freighter", "/sign-in", "Freighter is not installed in this browser."],
    ["a page of an account, for nobody", "/streams", "The page that you asked for belongs to an account."],
    ["a page that is not there", "/nowhere", "There is no page here."],
  ];
  test.each(pages)("%s", async (_, path, shows) => {
    const page = await (await browser.open()).newPage();
    const answer = await page.goto(path);
    expect(answer?.headers()["content-security-policy"]).toContain("default-src 'self'");
    await page.getByText(shows).waitFor();
    await expectSound(page);
  });

  test("the start page with Freighter", async () => {
    const context = await browser.open();
    const wallet = await installFreighter(context);
    wallet.allowed = true;
    const page = await context.newPage();
    await page.goto("/");
    await page.getByText("Active in Freighter:").waitFor();
    await expectSound(page);
  });

  test("the sessions", async () => {
    const page = await signIn(await browser.open());
    await expectSound(page);
  });
});

test("the tab's picture is there, by the name in the page and by the one that browsers ask for on their own", async () => {
  const page = await (await browser.open()).newPage();
  await page.goto("/");
  const named = await page
    .locator("link[rel=icon]")
    .evaluateAll((links) => links.map((link) => link.getAttribute("href") ?? ""));
  expect(named.some((href) => href.includes("/icon.svg"))).toBe(true);
  for (const href of [...named, "/favicon.ico"]) {
    const answer = await page.request.get(href);
    expect([answer.status(), answer.headers()["content-type"]]).toEqual([
      200,
      expect.stringMatching(/^image\//),
    ]);
  }
});

test("a page that cannot be drawn says so in its place, and is drawn at the next try", async () => {
  const context = await browser.open({ mayComplainOf: /TypeError/ });
  const page = await signInToStreams(context);
  const { session_id: sessionId } = await sessionOf(page);
  await context.route("**/api/streams?*", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), counts: null } });
  });
  await page.reload();
  await page.getByRole("heading", { level: 1, name: "This page could not be shown." }).waitFor();
  await expectSound(page);
  await context.unroute("**/api/streams?*");
  await page.getByRole("button", { name: "Try again" }).click();
  await seesStreams(page);
  expect(await sessionOf(page)).toMatchObject({ session_id: sessionId });
});
