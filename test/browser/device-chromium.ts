// A real browser that binds sessions to device keys. See scripts/setup/device-chromium.sh.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { afterEach, expect } from "vitest";
import { createWalletKeypair, type WalletKeypair } from "wallet-session/testing";
import { deviceChromium } from "../../scripts/setup/services.ts";
import type { DeviceService } from "../support/device-service.ts";

/** Keys in software, as there is no security chip; without an origin trial; without the limit of signatures, for short lives. */
const FEATURES = [
  "DeviceBoundSessions:RequireOriginTrialTokens/false/RefreshQuota/false/CheckSubdomainRegistration/false",
  "EnableBoundSessionCredentialsSoftwareKeysForManualTesting",
];

export interface DeviceChromium {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Ends the program and starts it again with the same profile. */
  restart(): Promise<DeviceChromium>;
}

/** Browsers with device keys, each with a profile of its own; whatever was opened is closed after each test. */
export function deviceChromiumUnderTest(): { open(): Promise<DeviceChromium> } {
  const opened: { context: BrowserContext; profile: string }[] = [];
  afterEach(async () => {
    for (const { context, profile } of opened.splice(0)) {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    }
  });

  async function launch(profile: string): Promise<DeviceChromium> {
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: deviceChromium(),
      args: ["--no-sandbox", "--disable-gpu", `--enable-features=${FEATURES.join()}`],
    });
    opened.push({ context, profile });
    const page = context.pages()[0] ?? (await context.newPage());
    return {
      context,
      page,
      async restart() {
        await context.close();
        return launch(profile);
      },
    };
  }
  return { open: () => launch(mkdtempSync(join(tmpdir(), "device-chromium-"))) };
}

/** Signs in by cookie from the sign-in page, and says which session it is. The browser does the rest by itself. */
export async function signInOn(
  page: Page,
  { origin }: DeviceService,
  key: WalletKeypair = createWalletKeypair(),
): Promise<string> {
  await page.goto(`${origin}/sign-in`);
  const challenge = await page.evaluate(
    async (account) => (await fetch(`/api/auth/wallet?account=${account}`)).json(),
    key.account,
  );
  const answer = await page.evaluate(async (transaction) => {
    const response = await fetch("/api/auth/wallet", {
      method: "POST",
      headers: { "Content-Type": "application/json", "Session-Transport": "cookie" },
      body: JSON.stringify({ transaction }),
    });
    return response.json();
  }, key.sign(challenge));
  return answer.session_id;
}

/** The same, and resolves once the session is bound: by the registration, and one page load. */
export async function signInBound(browser: DeviceChromium, service: DeviceService): Promise<string> {
  const earlier = service.seen.length;
  const sessionId = await signInOn(browser.page, service);
  await expect.poll(() => service.seen.slice(earlier).some(isRegistration)).toBe(true);
  await browser.page.goto(`${service.origin}/account`);
  await expect.poll(() => isBound(service, sessionId)).toBe(true);
  return sessionId;
}

const isRegistration = ({ path, status }: DeviceService["seen"][number]) =>
  path === "/api/auth/device/register" && status === 200;

export function isBound({ events }: DeviceService, sessionId: string): boolean {
  return events.some((event) => event.type === "bound" && event.sessionId === sessionId);
}

/** Resolves when the jar has no access cookie any more: its life is over. */
export async function accessIsOver({ context }: Pick<DeviceChromium, "context">): Promise<void> {
  const hasAccess = async () => (await context.cookies()).some(({ name }) => name.endsWith("_access"));
  await expect.poll(hasAccess, { timeout: 30_000, interval: 100 }).toBe(false);
}

/** The heading of the page, and what stands below it. */
export async function shown(page: Page): Promise<string> {
  return page.evaluate(() =>
    [...document.querySelectorAll("h1, p")].map((part) => part.textContent).join(" "),
  );
}

/** What its owner or an operator was told of the session. */
export function alarmsOf({ events }: DeviceService, id: string): readonly string[] {
  return events.flatMap((event) =>
    (event.type === "proof_failed" || event.type === "reuse_detected") && event.sessionId === id
      ? [event.type]
      : [],
  );
}

/** Loads a page that is guarded, and sees that session on it. */
export async function loads(page: Page, { origin }: DeviceService, sessionId: string): Promise<void> {
  await page.goto(`${origin}/account`);
  expect(await shown(page)).toBe(`Account ${sessionId}`);
}

/** What a service is asked from now on, without what the browser does for its key. */
export function seenFrom({ seen }: DeviceService): () => DeviceService["seen"] {
  const start = seen.length;
  return () => seen.slice(start).filter(({ path }) => !path.includes("/device/"));
}
