import { createDeviceBrowser, type DeviceBrowser } from "../../test/device-browser.ts";
import { ISSUER } from "../engine/engine.fixture.ts";
import { createWalletKeypair } from "../testing/wallet-keypair.ts";
import { COOKIES, readJson, startHttp, type TestHttp } from "./http.fixture.ts";

export const REGISTER = "/api/auth/device/register";
export const REFRESH = "/api/auth/device/refresh";
export const MINUTE = 60_000;

/** The real handlers, for browsers with device keys. */
export async function startDevices(options: Parameters<typeof startHttp>[0] & { quoted?: boolean } = {}) {
  const { quoted = false, ...rest } = options;
  const http = await startHttp(rest);
  const newBrowser = () =>
    createDeviceBrowser({
      fetch: http.handlers.fetch,
      origin: ISSUER,
      now: () => http.clock.now(),
      quoted,
    });
  return { ...http, newBrowser };
}

export type TestDevices = Awaited<ReturnType<typeof startDevices>>;

/** Signs in by cookie; whatever the browser does beside it has happened. */
export async function signInBy(
  http: TestHttp,
  browser: DeviceBrowser,
  key = createWalletKeypair(),
): Promise<string> {
  const response = await browser.request("POST", "/api/auth/wallet", {
    headers: { "Content-Type": "application/json", "Session-Transport": "cookie" },
    body: JSON.stringify(await http.answerFor(key)),
  });
  if (response.status !== 200) throw new Error(`sign-in answered ${response.status}`);
  await browser.settled();
  return (await readJson(response)).session_id;
}

/** A browser whose session is bound: it has signed in, and made one more request. */
export async function boundBrowser(http: TestDevices, key = createWalletKeypair()) {
  const browser = http.newBrowser();
  const sessionId = await signInBy(http, browser, key);
  await browser.request("GET", "/api/auth/session");
  await browser.settled();
  return Object.assign(browser, { sessionId, key });
}

/** The jar as a header of a program that is no browser. */
export function cookieHeader(jar: ReturnType<DeviceBrowser["jar"]>, without: string[] = []): string {
  return [...jar]
    .filter(([name]) => !without.includes(name))
    .map(([name, { value }]) => `${name}=${value}`)
    .join("; ");
}

/** What a device refresh of this jar and name is answered. */
export async function prove(
  http: TestHttp,
  jar: ReturnType<DeviceBrowser["jar"]>,
  headers: Record<string, string>,
  path = REFRESH,
): Promise<Response> {
  return http.send("POST", path, { headers: { Cookie: cookieHeader(jar), ...headers } });
}

export const accessOf = ({ cookies }: DeviceBrowser) => cookies.get(COOKIES.access);
