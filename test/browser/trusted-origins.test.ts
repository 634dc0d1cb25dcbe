// An API and the pages of its app on two hosts of one site, and a neighbour of theirs that nobody trusts.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Challenge, createSessionClient, SessionClient } from "wallet-session/client";
import { createWalletKeypair } from "wallet-session/testing";
import { ScriptedServer } from "../../packages/wallet-session/test/scripted-server.ts";
import { type AppServer, startServe } from "../support/app-server.ts";
import { ACCESS_COOKIE, COOKIE_NAME } from "../support/cookies.ts";
import { bundle } from "./bundle.ts";
import { launchChromium } from "./chromium.ts";

const BASE = "/v1/login";
const key = createWalletKeypair();
let chrome: Browser;
let pages: ScriptedServer;
let api: AppServer;
let home: string;
/** Of the same machine; a browser's cookies know hosts, not ports. */
const at = (name: string, origin: string) => origin.replace("127.0.0.1", `${name}.shop.localhost`);

beforeAll(async () => {
  const script = await bundle(new URL("../../packages/wallet-session/src/client.ts", import.meta.url));
  pages = await new ScriptedServer().start();
  pages.answers("GET /", (_, response) => {
    response.writeHead(200, { "content-type": "text/html" });
    response.end('<!doctype html><script type="module">window.lib = await import("/client.js")</script>');
  });
  pages.answers("GET /client.js", (_, response) => {
    response.writeHead(200, { "content-type": "text/javascript" }).end(script);
  });
  api = await startServe();
  home = at("api", api.address);
  await api.kill("SIGTERM");
  await api.start({
    PUBLIC_URL: home,
    TRUSTED_ORIGINS: at("app", pages.origin),
    AUTH_BASE_PATH: BASE,
    ACCESS_TOKEN_TTL: "20s",
    REFRESH_LEEWAY: "1s",
  });
  chrome = await launchChromium();
});

afterAll(async () => {
  await chrome?.close();
  await api?.stop();
  await pages?.stop();
});

type Window = {
  lib: { createSessionClient: typeof createSessionClient };
  client: SessionClient;
  sign(challenge: Challenge): Promise<string>;
};

async function signIn(page: Page, name: string): Promise<string> {
  await page.exposeFunction("sign", ({ transaction, networkPassphrase }: Challenge) =>
    key.sign({ transaction, network_passphrase: networkPassphrase }),
  );
  await page.goto(at(name, pages.origin));
  await page.waitForFunction("window.lib");
  return page.evaluate(
    async ({ basePath, cookieName, account }) => {
      const here = window as unknown as Window;
      here.client = here.lib.createSessionClient({ basePath, cookieName, leewaySeconds: 1 });
      try {
        return (await here.client.signIn({ account, sign: here.sign })).status;
      } catch (error) {
        return String((error as { code?: unknown }).code);
      }
    },
    { basePath: home + BASE, cookieName: COOKIE_NAME, account: key.account },
  );
}

test("a page of a trusted origin signs in, renews by a key of its own each time, and signs out", async () => {
  const context = await chrome.newContext();
  const page = await context.newPage();
  expect(await signIn(page, "app")).toBe("signed-in");
  const keys: unknown[] = [];
  page.on("request", (request) => {
    if (request.method() === "POST" && request.url().endsWith("/refresh"))
      keys.push(request.headers()["idempotency-key"]);
  });
  for (const renewals of [1, 2]) {
    await context.clearCookies({ name: ACCESS_COOKIE });
    const state = await page.evaluate(async () => (window as unknown as Window).client.refresh());
    expect([state.status, new Set(keys).size]).toEqual(["signed-in", renewals]);
  }
  expect(keys).not.toContain(undefined);
  expect(await page.evaluate(async () => (await (window as unknown as Window).client.check()).status)).toBe(
    "signed-in",
  );
  await page.evaluate(() => (window as unknown as Window).client.signOut());
  expect((await context.cookies(home + BASE)).map(({ name }) => name)).toEqual([]);
  await context.close();
});

test("a neighbour's page does not", async () => {
  const context = await chrome.newContext();
  expect(await signIn(await context.newPage(), "evil")).toBe("network_error");
  expect(await context.cookies(home + BASE)).toEqual([]);
  await context.close();
});
