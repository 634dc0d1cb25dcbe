// Draws the pictures in docs/images from a running app, with streams and an operation that it makes there:
//   DATABASE_URL=memory: RATE_LIMIT=off SETTLEMENTS_PER_SECOND=1 npm start
//   BASE_URL=http://localhost:3000 node scripts/screenshots.ts
// and the one of the lab, from an app with its tokens of 20 seconds:
//   LAB_DATABASE_URL=memory: npm run lab
//   BASE_URL=http://localhost:3000 node scripts/screenshots.ts lab
// The app must allow the demo wallet. CHROMIUM names the browser where it is not Debian's.
import { mkdir } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { chromium as machineChromium } from "./setup/services.ts";

const baseURL = process.env.BASE_URL ?? "http://localhost:3000";
const target = process.env.SCREENSHOTS_DIR ?? fileURLToPath(new URL("../docs/images/", import.meta.url));
const DEMO_WALLET = "streampay.demo-wallet";
const PATIENCE_MS = 60_000;

const DESKTOP = { width: 1280, height: 860 };
const PHONE = { width: 360, height: 780 };
const OTHER_BROWSERS = [
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
];
/** So many that an operation is still under way when its picture is taken. */
const SMALL_STREAMS = 60;

const browser = await chromium.launch({
  executablePath: machineChromium(),
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
});

try {
  await mkdir(target, { recursive: true });
  if (process.argv[2] === "lab") await drawLab(await open({}));
  else await drawPages(await open({}));
} finally {
  await browser.close();
}

async function drawPages(page: Page) {
  await page.goto("/");
  await page.getByText("Freighter is not installed").waitFor();
  await shootAll(page, "home");
  await page.goto("/sign-in");
  await page.getByText("Freighter is not installed").waitFor();
  await shootAll(page, "sign-in");

  await signIn(page);
  const wallet = await page.evaluate((key) => localStorage.getItem(key) ?? "", DEMO_WALLET);
  for (const userAgent of OTHER_BROWSERS) await signIn(await open({ wallet, userAgent }));
  const other = await open({});
  await signIn(other);

  const streams = await makeStreams(page, other);
  await page.goto("/streams");
  await page.getByRole("link", { name: "Studio rent" }).waitFor();
  await shootAll(page, "streams");
  await page.goto(`/streams/${streams.shown}`);
  await page.getByRole("heading", { name: "History" }).waitFor();
  await shootAll(page, "stream");

  const operation = await settleMany(page, await accountOf(other));
  await page.goto(`/operations/${operation}`);
  await page.getByRole("progressbar").waitFor();
  // Until it has a pace.
  await delay(6_000);
  await shootAll(page, "operation");
  await page.goto("/sessions");
  await page.getByText("This browser").waitFor();
  await shootAll(page, "sessions");
}

/** A session that has renewed itself, lost an answer and been offline. */
async function drawLab(page: Page) {
  await page.goto("/lab");
  await page.getByRole("button", { name: "Start a session" }).click();
  await page.getByText("refresh token 2 in place of 1").waitFor();
  const rules = page.getByRole("log").getByText("The rule", { exact: true });
  for (const [index, name] of ["Lost answer", "Offline", "Stolen token"].entries()) {
    await page.getByRole("button", { name, exact: true }).click();
    await rules.nth(index).waitFor();
  }
  // The picture, and not all that is said below it.
  await shootAll(page, "lab", { whole: false });
}

/** A window of its own. `wallet`: a demo key that it has already. */
async function open({ wallet, ...options }: { wallet?: string } & BrowserContextOptions) {
  const context = await browser.newContext({ viewport: DESKTOP, baseURL, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  if (wallet !== undefined) {
    const entry = { key: DEMO_WALLET, value: wallet };
    await context.addInitScript(({ key, value }) => localStorage.setItem(key, value), entry);
  }
  return context.newPage();
}

async function signIn(page: Page) {
  await page.goto("/sign-in");
  await page.getByText("Freighter is not installed").waitFor();
  await page.getByRole("button", { name: "Sign in with the demo wallet" }).click();
  await page.getByRole("heading", { name: "Your streams" }).waitFor();
}

async function accountOf(page: Page): Promise<string> {
  return (await call(page, "GET", "/api/auth/session")).actor_id;
}

/** Payment streams in every state, both ways; one of them with a past that is worth a picture. */
async function makeStreams(page: Page, other: Page) {
  const [me, them] = await Promise.all([accountOf(page), accountOf(other)]);
  const shown = await make(page, them, "Podcast editing", "48.5", 240, true);
  await make(page, them, "Advance, not agreed yet", "300", 2_592_000, false);
  const stopped = await make(page, them, "", "40", 3_600, true);
  await make(page, them, "Design work, November", "1250", 86_400 * 30, true);
  const given = await make(other, me, "Trial week", "75", 604_800, true);
  await make(other, me, "Studio rent", "320.25", 86_400 * 7, true);
  await command(page, stopped, "pause");
  await command(other, given, "cancel");
  await delay(16_000);
  await command(page, shown, "settle");
  await delay(12_000);
  await command(page, shown, "pause");
  await delay(14_000);
  await command(page, shown, "start");
  await delay(14_000);
  await command(page, shown, "settle");
  await delay(8_000);
  return { shown };
}

/** The id of a new payment stream. */
async function make(
  page: Page,
  recipient: string,
  title: string,
  deposit: string,
  seconds: number,
  start: boolean,
): Promise<string> {
  const body = { recipient, deposit, duration_seconds: seconds, start, ...(title !== "" && { title }) };
  return (await call(page, "POST", "/api/streams", body)).id;
}

async function command(page: Page, id: string, name: string) {
  await call(page, "POST", `/api/streams/${id}/${name}`);
}

/** The id of an operation that settles many payment streams. */
async function settleMany(page: Page, recipient: string): Promise<string> {
  for (let count = 0; count < SMALL_STREAMS; count++) {
    await make(page, recipient, `Share ${count + 1}`, "25", 3_600, true);
  }
  return (await call(page, "POST", "/api/operations", { type: "settle_streams", stream_ids: "all" })).id;
}

/** Asks the API with the cookies of the page, as a script of the page would. */
async function call(page: Page, method: string, path: string, data?: object) {
  const headers = { "sec-fetch-site": "same-origin" };
  const response = await page.request.fetch(path, { method, headers, ...(data && { data }) });
  if (!response.ok()) throw new Error(`${method} ${path}: ${response.status()} ${await response.text()}`);
  return response.json();
}

/** In both themes, at the width of a desk and of a phone. `whole`: the desk shows the whole page, however long. */
async function shootAll(page: Page, name: string, { whole } = { whole: true }) {
  for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.evaluate(() => document.fonts.ready);
      const path = `${target}/${name}-${size}-${colorScheme}.png`;
      await page.screenshot({ path, fullPage: whole && size === "desktop", animations: "disabled" });
      console.log(`${name}-${size}-${colorScheme}.png`);
    }
  }
  await page.setViewportSize(DESKTOP);
}
