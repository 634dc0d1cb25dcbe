// What axe finds on the pages: in both themes, on a desk and on a phone, whatever state they are in.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { appUnderTest } from "../support/app-under-test.ts";
import {
  browserUnderTest,
  button,
  createStream,
  seesSession,
  seesStreams,
  signIn,
  signInToStreams,
} from "./browser.ts";

const app = appUnderTest();
const browser = browserUnderTest(app);

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const THEMES = ["light", "dark"] as const;
const SIZES = { desk: { width: 1_280, height: 900 }, phone: { width: 390, height: 844 } };
const SEVERE = ["serious", "critical"];
const RECIPIENT = createWalletKeypair().account;

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
async function expectAccessible(page: Page): Promise<void> {
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

/** A stream that has run for a while, with something of each kind in its history. */
async function streamWithHistory(page: Page): Promise<string> {
  const wish = { recipient: RECIPIENT, deposit: "3600", duration_seconds: 3_600, start: true };
  await createStream(page, { ...wish, start: false, title: "A draft" });
  const id = await createStream(page, { ...wish, title: "Rent" });
  await page.goto(`/streams/${id}`);
  await button(page, "Settle").click();
  await page.getByRole("region", { name: "History" }).getByText("Settled by you").first().waitFor();
  return id;
}

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

  test("the streams, one stream and its question, and an operation", async () => {
    const page = await signInToStreams(await browser.open());
    await streamWithHistory(page);
    await expectAccessible(page);
    await button(page, "Cancel the stream").click();
    await page.getByRole("dialog", { name: "Cancel this stream?" }).waitFor();
    await expectAccessible(page);

    await page.goto("/streams");
    await page.getByRole("link", { name: "Rent" }).waitFor();
    await expectAccessible(page);
    await button(page, "Settle all").click();
    await page.getByRole("heading", { level: 1, name: "Settled 1 stream" }).waitFor();
    await expectAccessible(page);
    await page.goto("/streams/0000000000000000000000");
    await page.getByRole("heading", { level: 1, name: "No such stream" }).waitFor();
    await expectAccessible(page);
  });

  test("the sessions, the question before one is ended, and the page of an ended session", async () => {
    const context = await browser.open();
    const page = await signIn(context);
    await signIn(await browser.open({ walletOf: page }));
    await page.reload();
    await seesSession(page);
    await expectAccessible(page);
    await button(page, "End all others").click();
    await page.getByRole("dialog", { name: "End all other sessions?" }).waitFor();
    await expectAccessible(page);
    await page.keyboard.press("Escape");

    const other = await context.newPage();
    await other.goto("/streams");
    await seesStreams(other);
    await button(page, "Sign out").click();
    await page.getByRole("heading", { level: 1, name: "You are signed out." }).waitFor();
    await expectAccessible(page);
  });
});
