import { StrKey } from "@stellar/stellar-sdk";
import type {
  Browser,
  BrowserContext,
  BrowserContextOptions,
  ConsoleMessage,
  Locator,
  Page,
} from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, vi } from "vitest";
import { createWalletKeypair, type WalletKeypair } from "wallet-session/testing";
import type { App } from "../support/app-under-test.ts";
import { ACCESS_COOKIE } from "../support/cookies.ts";
import { launchChromium } from "./chromium.ts";

/** What a person would wait for, and some more for a busy machine. */
const PATIENCE_MS = 15_000;
/** The same for what is asked again and again. */
export const PATIENTLY = { timeout: PATIENCE_MS, interval: 100 };
/** A test opens several browsers, one page after the other. */
const TEST_LIMIT_MS = 240_000;
const DEMO_WALLET = "streampay.demo-wallet";
const LAST_WALLET = "streampay.wallet";

export interface BrowserUnderTest {
  /** A browser of somebody's own, with an empty jar. */
  open(options?: OpenOptions): Promise<BrowserContext>;
}

export interface OpenOptions extends BrowserContextOptions {
  /** Whose key its demo wallet has: by default somebody new's. Null: none, until the wallet makes one. */
  readonly walletOf?: Page | WalletKeypair | null;
  /** What a page may complain of, since the test brings it about. */
  readonly mayComplainOf?: RegExp;
}

let chromium: Promise<Browser> | null = null;

/** One Chromium for all test files of this process. Playwright ends it with the process. */
async function sharedChromium(): Promise<Browser> {
  chromium ??= launchChromium();
  const browser = await chromium;
  if (browser.isConnected()) return browser;
  chromium = null;
  return sharedChromium();
}

/**
 * Browsers for the tests of the calling file; whatever they open is closed after each, or after all where they run side by
 * side. A page that threw or wrote an error to its console fails them, and the app's witness learns the tokens of
 * every jar.
 */
export function browserUnderTest(
  app: App,
  { sideBySide = false, patienceMs = PATIENCE_MS } = {},
): BrowserUnderTest {
  vi.setConfig({ testTimeout: TEST_LIMIT_MS });
  let browser: Browser | null = null;
  const contexts: BrowserContext[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    browser = await sharedChromium();
  });

  async function closeAll(): Promise<void> {
    for (const context of contexts.splice(0)) {
      for (const { name, value } of await context.cookies()) {
        // A session's id is no secret.
        if (value !== "" && !name.endsWith("_session")) app.witness.add(value);
      }
      await context.close();
    }
    expect(complaints.splice(0)).toEqual([]);
  }

  if (sideBySide) afterAll(closeAll);
  else afterEach(closeAll);

  return {
    async open({ walletOf = createWalletKeypair(), mayComplainOf, ...options } = {}) {
      if (browser === null) throw new Error("The browser has not been started yet.");
      const context = await browser.newContext({
        baseURL: app.server.publicUrl,
        // What moves is drawn anew sixty times a second, and there is no graphics card.
        reducedMotion: "reduce",
        ...options,
      });
      contexts.push(context);
      context.setDefaultTimeout(patienceMs);
      await context.addInitScript(noteListening);
      if (walletOf !== null) await giveKey(context, walletOf);
      const complain = (text: string) => {
        if (!mayComplainOf?.test(text)) complaints.push(text);
      };
      context.on("weberror", (error) => complain(String(error.error())));
      context.on("console", (message) => {
        if (message.type() === "error" && !isAnswerNoted(message)) {
          complain(`${message.text()} (${message.location().url}, on ${message.page()?.url()})`);
        }
      });
      return context;
    },
  };
}

/** Runs in each page before its scripts. */
function noteListening(): void {
  const listen = window.addEventListener.bind(window);
  window.addEventListener = (...given: Parameters<typeof listen>) => {
    listen(...given);
    if (given[0] === "online") Reflect.set(window, "listensForOnline", true);
  };
}

/** A line that broke: the network's doing, not the page's. Tests bring it about, and a page may fetch ahead just then. */
const BROKEN_LINE =
  /net::ERR_(?:INTERNET_DISCONNECTED|NETWORK_CHANGED|EMPTY_RESPONSE|CONNECTION_\w+|INCOMPLETE_\w+)/;

/** Chromium notes every answer that is no success: what the pages make of the API's and of a 404 is tested as such. */
function isAnswerNoted(message: ConsoleMessage): boolean {
  const { url } = message.location();
  const expected = url.includes("/api/") || url === message.page()?.url() || BROKEN_LINE.test(message.text());
  return expected && message.text().startsWith("Failed to load resource:");
}

/** The key in the demo wallet of each browser that was given one. */
const keys = new WeakMap<BrowserContext, WalletKeypair>();

function keyOf(context: BrowserContext): WalletKeypair {
  const key = keys.get(context);
  if (key === undefined) throw new Error("The browser was opened without a key.");
  return key;
}

/** From now on, the pages of the context find the key in their demo wallet, unless it has made another. */
async function giveKey(context: BrowserContext, of: Page | WalletKeypair): Promise<void> {
  const key = "seed" in of ? of : keyOf(of.context());
  keys.set(context, key);
  await context.addInitScript(
    ([name, value]) => {
      if (location.hostname === "localhost") localStorage[name] ??= value;
    },
    [DEMO_WALLET, jwkOf(key)] as const,
  );
}

function jwkOf({ account, seed }: WalletKeypair): string {
  const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
  return JSON.stringify({
    kty: "OKP",
    crv: "Ed25519",
    d: base64url(StrKey.decodeEd25519SecretSeed(seed)),
    x: base64url(StrKey.decodeEd25519PublicKey(account)),
  });
}

/** Signs in as the demo wallet does, without its page, and resolves when a new page shows the sessions. */
export async function signIn(context: BrowserContext): Promise<Page> {
  const page = await openSignedIn(context, "/sessions");
  await seesSession(page);
  return page;
}

/** Signs in on the page of this service, where there is more than one. */
export async function signInAt({ server }: App, context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${server.publicUrl}/sign-in?next=/sessions`);
  await signWithDemoWallet(page);
  await seesSession(page);
  return page;
}

/** The same as `signIn`, and a new page shows the streams. */
export async function signInToStreams(context: BrowserContext): Promise<Page> {
  const page = await openSignedIn(context, "/streams");
  await seesStreams(page);
  return page;
}

async function openSignedIn(context: BrowserContext, path: string): Promise<Page> {
  await fillJar(context);
  const page = await context.newPage();
  await page.goto(path);
  return page;
}

/** Signs in with the key of the context's demo wallet. What the answer sets is in its jar. */
export async function fillJar(context: BrowserContext): Promise<void> {
  const [{ request }, key] = [context, keyOf(context)];
  const challenge = await request.get(`/api/auth/wallet?account=${key.account}`);
  const answer = await request.post("/api/auth/wallet", {
    headers: { Origin: new URL(challenge.url()).origin, "Session-Transport": "cookie" },
    data: { transaction: key.sign(await challenge.json()) },
  });
  expect(answer.status()).toBe(200);
  // What its page would remember, to sign again with the same wallet.
  await context.addInitScript((name) => {
    if (location.hostname === "localhost") localStorage[name] ??= "demo";
  }, LAST_WALLET);
}

/** The demo wallet of a page that offers it, once it has its key. */
export async function demoWalletOn(page: Page): Promise<Locator> {
  const wallet = page.getByRole("region", { name: "Demo wallet" });
  await wallet.getByText(/^G.*…/).waitFor();
  return wallet;
}

/** Signs in with the demo wallet on a page that offers it. */
export async function signWithDemoWallet(page: Page): Promise<void> {
  const wallet = await demoWalletOn(page);
  await wallet.getByRole("button", { name: "Sign in with the demo wallet" }).click();
}

/**
 * Resolves when the page does what its buttons say: as it comes from the server it shows them, and a press does nothing until
 * its script has taken it over.
 */
export async function isAlive(page: Page): Promise<void> {
  // React marks each element that it has taken over.
  await page.waitForFunction(() => {
    const button = document.querySelector("main button");
    return button !== null && Object.keys(button).some((key) => key.startsWith("__reactProps$"));
  });
}

export const button = (page: Page, name: string): Locator => page.getByRole("button", { name, exact: true });

/** The jar as it is after 15 minutes. */
export const letAccessEnd = (context: BrowserContext): Promise<void> =>
  context.clearCookies({ name: ACCESS_COOKIE });

/** Resolves when the page shows who is signed in and where. */
export async function seesSession(page: Page): Promise<void> {
  await page.waitForURL(({ pathname }) => pathname === "/sessions");
  await page.getByRole("heading", { name: "Where you are signed in" }).waitFor();
}

/** Resolves when the page shows the streams of who is signed in. */
export async function seesStreams(page: Page): Promise<void> {
  await page.waitForURL(({ pathname }) => pathname === "/streams");
  await page.getByRole("navigation", { name: "Filters" }).waitFor();
}

/** What the browser tells its pages after a tunnel; they look again. Waits until the page's script listens for it. */
export async function lookAgain(page: Page): Promise<void> {
  await page.waitForFunction(() => Reflect.get(window, "listensForOnline"));
  await page.evaluate(() => window.dispatchEvent(new Event("online")));
}

/** The session as the server tells it to this page; nothing is renewed for it. */
export async function sessionOf(
  page: Page,
): Promise<{ actor_id: string; session_id: string; generation: number }> {
  return page.evaluate(async () => (await fetch("/api/auth/session", { cache: "no-store" })).json());
}

/** The list as the page's own server tells it: one session, and how often it was renewed. */
export async function listed(page: Page): Promise<{ current: boolean; generation: number }[]> {
  const { sessions } = await page.evaluate(async () => (await fetch("/api/auth/sessions")).json());
  return sessions;
}

interface StreamWish {
  readonly recipient: string;
  readonly deposit: string;
  readonly duration_seconds: number;
  readonly title?: string;
  readonly start?: boolean;
}

/** Creates a stream as the page itself would, without its form. Resolves with its id. */
export async function createStream(page: Page, wish: StreamWish): Promise<string> {
  const { status, body } = await page.evaluate(async (wanted) => {
    const response = await fetch("/api/streams", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(wanted),
    });
    return { status: response.status, body: await response.json() };
  }, wish);
  expect(status).toBe(201);
  return body.id;
}

/** The cookies of the jar by name. */
export async function jarOf(context: BrowserContext) {
  return new Map((await context.cookies()).map((cookie) => [cookie.name, cookie]));
}
