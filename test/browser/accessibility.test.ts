import { describe, test } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";
import { expectAccessible } from "./axe.ts";
import { browserUnderTest, button, signInToStreams } from "./browser.ts";

const app = appUnderTest();
const browser = browserUnderTest(app);

describe("nothing serious is found on", () => {
  const open: [name: string, path: string, shows: string][] = [
    ["the start page", "/", "Sign in with your wallet"],
    ["the sign-in page", "/sign-in", "Freighter is not installed in this browser."],
    ["the sign-in page of a guarded one", "/streams", "Freighter is not installed in this browser."],
    ["a page that is not there", "/nowhere", "There is no page here."],
  ];
  test.each(open)("%s", async (_, path, shows) => {
    const page = await (await browser.open()).newPage();
    await page.goto(path);
    await page.getByText(shows).first().waitFor();
    await expectAccessible(page);
  });

  test("the streams, while there are none, and in the form for the first", async () => {
    const page = await signInToStreams(await browser.open());
    await button(page, "Create your first stream").waitFor();
    await expectAccessible(page);
    await button(page, "Create your first stream").click();
    const form = page.getByRole("dialog", { name: "New stream" });
    await form.getByRole("button", { name: "Create and start" }).click();
    await expectAccessible(page);
  });
});
