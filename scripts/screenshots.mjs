// @ts-check
// Draws the pictures in docs/images from a running app: BASE_URL=http://localhost:3000 node scripts/screenshots.mjs
// The app must allow the demo wallet. CHROMIUM names the browser where it is not /usr/bin/chromium.
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const baseUrl = process.env.BASE_URL ?? "http://localhost:3000";
const target = process.env.SCREENSHOTS_DIR ?? fileURLToPath(new URL("../docs/images/", import.meta.url));
const DEMO_WALLET = "streampay.demo-wallet";

const DESKTOP = { width: 1280, height: 860 };
const PHONE = { width: 360, height: 780 };
const OTHER_BROWSERS = [
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
];

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
});

try {
  await mkdir(target, { recursive: true });
  const wallet = await makeWallet();
  for (const userAgent of OTHER_BROWSERS) await signIn(await open({ wallet, userAgent }));

  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
      const page = await open({ wallet, viewport, colorScheme });
      await page.getByText("Freighter is not installed").waitFor();
      await shoot(page, `sign-in-${size}-${colorScheme}`);
      await signIn(page);
      await shoot(page, `session-${size}-${colorScheme}`);
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByRole("heading", { name: "You are signed out." }).waitFor();
      await page.context().close();
    }
  }
} finally {
  await browser.close();
}

/** A demo key that all the windows share, so that they are sessions of one account. */
async function makeWallet() {
  const page = await open({});
  await page.waitForFunction((key) => localStorage.getItem(key) !== null, DEMO_WALLET);
  const wallet = await page.evaluate((key) => localStorage.getItem(key), DEMO_WALLET);
  await page.context().close();
  if (wallet === null) throw new Error("The page made no demo key");
  return wallet;
}

/**
 * @param {{ wallet?: string } & import("playwright-core").BrowserContextOptions} options
 * @returns {Promise<import("playwright-core").Page>} a window of its own, at the start page
 */
async function open({ wallet, ...options }) {
  const context = await browser.newContext({ viewport: DESKTOP, ...options });
  if (wallet !== undefined) {
    const entry = { key: DEMO_WALLET, value: wallet };
    await context.addInitScript(({ key, value }) => localStorage.setItem(key, value), entry);
  }
  const page = await context.newPage();
  await page.goto(baseUrl);
  return page;
}

/** @param {import("playwright-core").Page} page */
async function signIn(page) {
  await page.getByRole("button", { name: "Sign in with the demo wallet" }).click();
  await page.getByRole("heading", { name: "Where you are signed in" }).waitFor();
}

/**
 * @param {import("playwright-core").Page} page
 * @param {string} name
 */
async function shoot(page, name) {
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: `${target}/${name}.png`, fullPage: true, animations: "disabled" });
  console.log(`${name}.png`);
}
