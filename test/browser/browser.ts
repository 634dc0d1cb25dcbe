import { existsSync } from "node:fs";
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type ConsoleMessage,
  chromium,
  type Page,
} from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import type { App } from "../support/app-under-test.ts";

const EXECUTABLE = process.env.CHROMIUM ?? "/usr/bin/chromium";
const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];
/** What a person would wait for, and some more for a busy machine. */
const PATIENCE_MS = 15_000;
const DEMO_WALLET = "streampay.demo-wallet";

export interface BrowserUnderTest {
  /** A browser of somebody's own, with an empty jar. `walletOf`: a page whose demo wallet it has too. */
  open(options?: BrowserContextOptions & { walletOf?: Page }): Promise<BrowserContext>;
}

/**
 * One Chromium for the tests of the calling file; whatever they open is closed after each. A page that threw or wrote an
 * error to its console fails the test that opened it, and the app's witness learns the tokens of every jar.
 */
export function browserUnderTest(app: App): BrowserUnderTest {
  let browser: Browser | null = null;
  const contexts: BrowserContext[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    if (!existsSync(EXECUTABLE)) {
      throw new Error(
        `These tests drive a real browser, and there is no ${EXECUTABLE}. ` +
          "Install Chromium (on Debian: apt-get install chromium), or say in CHROMIUM where it is.",
      );
    }
    browser = await chromium.launch({ executablePath: EXECUTABLE, args: ARGS });
  });

  afterEach(async () => {
    for (const context of contexts.splice(0)) {
      for (const { value } of await context.cookies()) if (value !== "") app.witness.add(value);
      await context.close();
    }
    expect(complaints.splice(0)).toEqual([]);
  });

  afterAll(() => browser?.close());

  return {
    async open({ walletOf, ...options } = {}) {
      if (browser === null) throw new Error("The browser has not been started yet.");
      const baseURL = app.server.publicUrl;
      const storageState = walletOf && {
        cookies: [],
        origins: [{ origin: baseURL, localStorage: await demoWallet(walletOf) }],
      };
      const context = await browser.newContext({
        baseURL,
        ...(storageState && { storageState }),
        ...options,
      });
      contexts.push(context);
      context.setDefaultTimeout(PATIENCE_MS);
      context.on("weberror", (error) => complaints.push(String(error.error())));
      context.on("console", (message) => {
        if (message.type() === "error" && !isAnswerNoted(message)) complaints.push(message.text());
      });
      return context;
    },
  };
}

/** Chromium notes every answer that is no success: what the pages make of the API's and of a 404 is tested as such. */
function isAnswerNoted(message: ConsoleMessage): boolean {
  const { url } = message.location();
  const expected = url.includes("/api/") || url === message.page()?.url();
  return expected && message.text().startsWith("Failed to load resource:");
}

/** The demo key of a page, as it is stored. */
async function demoWallet(page: Page): Promise<{ name: string; value: string }[]> {
  const value = await page.evaluate((name) => localStorage.getItem(name), DEMO_WALLET);
  if (value === null) throw new Error("The page has made no demo key.");
  return [{ name: DEMO_WALLET, value }];
}

/** Signs in with the demo wallet, and resolves when the session page shows the session. */
export async function signIn(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await page.goto("/sign-in");
  await page.getByRole("button", { name: "Sign in with the demo wallet" }).click();
  await seesSession(page);
  return page;
}

/** Resolves when the page shows who is signed in and where. */
export async function seesSession(page: Page): Promise<void> {
  await page.waitForURL("**/session");
  await page.getByRole("heading", { name: "Where you are signed in" }).waitFor();
}

/** The session as the server tells it to this page; nothing is renewed for it. */
export async function sessionOf(page: Page): Promise<{ session_id: string; generation: number }> {
  return page.evaluate(async () => (await fetch("/api/auth/session", { cache: "no-store" })).json());
}

/** The cookies of the jar by name. */
export async function jarOf(context: BrowserContext) {
  return new Map((await context.cookies()).map((cookie) => [cookie.name, cookie]));
}
