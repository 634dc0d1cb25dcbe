import { expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { appUnderTest } from "../support/app-under-test.ts";
import { seedStreams } from "../support/streams.ts";
import { browserUnderTest, button, createStream, PATIENTLY, sessionOf, signInToStreams } from "./browser.ts";

const app = appUnderTest();
const browser = browserUnderTest(app);

const signedIn = async () => signInToStreams(await browser.open());

test("the list is narrowed by status and direction, at an address of its own", async () => {
  const page = await signedIn();
  const wish = { recipient: createWalletKeypair().account, deposit: "10", duration_seconds: 3_600 };
  await createStream(page, { ...wish, title: "Running", start: true });
  await createStream(page, { ...wish, title: "Thought of" });
  const titles = () => page.getByRole("list", { name: "Streams" }).getByRole("link").allInnerTexts();
  await expect.poll(titles, PATIENTLY).toEqual(["Thought of", "Running"]);
  await page.getByRole("link", { name: "Draft 1" }).click();
  await expect.poll(titles, PATIENTLY).toEqual(["Thought of"]);
  await page.waitForURL("**/streams?status=draft");
  await page.reload();
  await expect.poll(titles, PATIENTLY).toEqual(["Thought of"]);
  await page.getByRole("link", { name: "You receive" }).click();
  await page.getByText("No stream matches").waitFor();
});

test("a long list is shown by pieces, and each stream in it once", async () => {
  const page = await signedIn();
  // One more than the server gives at once.
  const ids = await seedStreams(app.server, (await sessionOf(page)).actor_id, 101);
  await page.reload();
  const links = page.getByRole("list", { name: "Streams" }).getByRole("link");
  for (const shown of [20, 40, 60, 80, 100]) {
    await expect.poll(() => links.count(), PATIENTLY).toBe(shown);
    await button(page, "Show more").click();
  }
  await button(page, "Show more").waitFor({ state: "detached" });
  const addresses = await links.evaluateAll((all) => all.map((link) => link.getAttribute("href")));
  expect(addresses.sort()).toEqual(ids.map((id) => `/streams/${id}`).sort());
});
