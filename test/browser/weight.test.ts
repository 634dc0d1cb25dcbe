// How much script a page makes a new visitor fetch.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { appUnderTest } from "../support/app-under-test.ts";
import { browserUnderTest, createStream, signInToStreams } from "./browser.ts";

const app = appUnderTest();
const browser = browserUnderTest(app);

const LIMIT_BYTES = 200_000;

/** Bytes of script, as they came over the wire, until the page shows `heading`, with nothing in its cache. */
async function scriptBytes(page: Page, path: string, heading: string | RegExp): Promise<number> {
  const debug = await page.context().newCDPSession(page);
  await debug.send("Network.enable");
  await debug.send("Network.setCacheDisabled", { cacheDisabled: true });
  const scripts = new Map<string, number>();
  debug.on("Network.responseReceived", ({ requestId, type }) => {
    if (type === "Script") scripts.set(requestId, 0);
  });
  debug.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (scripts.has(requestId)) scripts.set(requestId, encodedDataLength);
  });
  await page.goto(path);
  await page.getByRole("heading", { level: 1, name: heading }).waitFor();
  await expect.poll(() => [...scripts.values()].includes(0)).toBe(false);
  await debug.detach();
  return [...scripts.values()].reduce((sum, bytes) => sum + bytes, 0);
}

test("the first load of each page fetches less than 200 KB of compressed script", async () => {
  const visitor = await (await browser.open()).newPage();
  const sizes: Record<string, number> = {
    "/": await scriptBytes(visitor, "/", /./),
    "/sign-in": await scriptBytes(visitor, "/sign-in", /./),
    "/nowhere": await scriptBytes(visitor, "/nowhere", "There is no page here."),
  };

  const page = await signInToStreams(await browser.open());
  const recipient = createWalletKeypair().account;
  const wish = { recipient, deposit: "3600", duration_seconds: 3_600, title: "Rent", start: true };
  const stream = await createStream(page, wish);
  await page.reload();
  await page.getByRole("button", { name: "Settle all" }).click();
  await page.getByRole("heading", { level: 1, name: "Settled 1 stream" }).waitFor();
  const operation = new URL(page.url()).pathname;
  sizes["/streams"] = await scriptBytes(page, "/streams", "Your streams");
  sizes["/streams/[id]"] = await scriptBytes(page, `/streams/${stream}`, "Rent");
  sizes["/operations/[id]"] = await scriptBytes(page, operation, "Settled 1 stream");
  sizes["/sessions"] = await scriptBytes(page, "/sessions", "Your sessions");

  console.log(sizes);
  for (const [path, bytes] of Object.entries(sizes)) {
    expect(bytes, path).toBeGreaterThan(0);
    expect(bytes, path).toBeLessThan(LIMIT_BYTES);
  }
});
