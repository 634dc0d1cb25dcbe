// A neighbour subdomain, over TLS: it can write cookies for the parent domain of both, with our names and as many as it likes.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type RequestListener, request } from "node:http";
import { createServer, type Server } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createWalletKeypair, type WalletKeypair } from "wallet-session/testing";
import { freePort } from "../../packages/wallet-session/test/free-port.ts";
import { appUnderTest } from "../support/app-under-test.ts";
import { ACCESS_COOKIE, REFRESH_COOKIE } from "../support/cookies.ts";
import { browserUnderTest, letAccessEnd } from "./browser.ts";

// Browsers find every name below localhost on this machine, and `pay.localhost` may have cookies.
const PARENT = "pay.localhost";
const tlsPort = await freePort();
const OURS = `https://wallet.${PARENT}:${tlsPort}`;
const NEIGHBOUR = `https://neighbour.${PARENT}:${tlsPort}`;

const app = appUnderTest(() => ({ PUBLIC_URL: OURS }));
const browser = browserUnderTest(app);
const open = () => browser.open({ walletOf: null, baseURL: OURS, ignoreHTTPSErrors: true });

/** What the neighbour answers with next. */
let planted: readonly string[] = [];
let front: Server;
beforeAll(async () => {
  front = createServer(newCertificate(), (incoming, outgoing) => {
    if (incoming.headers.host?.startsWith("neighbour.")) {
      outgoing.writeHead(200, { "Set-Cookie": [...planted], "Content-Type": "text/html" }).end("<p>Hello");
    } else {
      passOn(incoming, outgoing);
    }
  });
  await new Promise<void>((resolve) => front.listen(tlsPort, "127.0.0.1", resolve));
});
afterAll(() => {
  front.closeAllConnections();
  front.close();
});

/** As a proxy in front of the app that ends TLS. */
const passOn: RequestListener = (incoming, outgoing) => {
  const { method, url, headers } = incoming;
  const { port } = new URL(app.server.address);
  const passed = request({ host: "127.0.0.1", port, method, path: url, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    answer.pipe(outgoing);
  });
  passed.on("error", () => outgoing.destroy());
  incoming.pipe(passed);
};

function newCertificate() {
  const directory = mkdtempSync(join(tmpdir(), "neighbour-"));
  const [key, cert] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  const made = ["-keyout", key, "-out", cert, "-subj", `/CN=${PARENT}`];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  execFileSync("openssl", ["req", "-x509", ...kind, ...made], { stdio: "ignore" });
  const pair = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(directory, { recursive: true });
  return pair;
}

/** The neighbour's page, on which a visitor of ours comes by. */
async function plant(context: BrowserContext, cookies: readonly string[]): Promise<void> {
  planted = cookies.map((cookie) => `${cookie}; Domain=${PARENT}; Secure; Max-Age=86400`);
  const page = await context.newPage();
  await page.goto(NEIGHBOUR);
  await page.close();
}

/** Signs in on the page and loads the list of sessions. */
async function signIn(page: Page, key: WalletKeypair): Promise<void> {
  await page.goto("/sign-in");
  const challenge = await page.evaluate(
    async (account) => (await fetch(`/api/auth/wallet?account=${account}`)).json(),
    key.account,
  );
  const status = await page.evaluate(
    async (body) => {
      const headers = { "content-type": "application/json", "session-transport": "cookie" };
      return (await fetch("/api/auth/wallet", { method: "POST", headers, body })).status;
    },
    JSON.stringify({ transaction: key.sign(challenge) }),
  );
  expect(status).toBe(200);
  expect(await loads(page)).toBe(key.account);
}

/** Loads a guarded page, and says as whom: null where that ends at the sign-in page. */
async function loads(page: Page): Promise<string | null> {
  await page.goto("/sessions");
  const { pathname } = new URL(page.url());
  expect(["/sessions", "/sign-in"]).toContain(pathname);
  return pathname === "/sign-in" ? null : whoIs(page);
}

const whoIs = (page: Page): Promise<string | null> =>
  page.evaluate(async () => (await (await fetch("/api/auth/session")).json()).actor_id ?? null);

const refreshes = (page: Page): Promise<number> =>
  page.evaluate(async () => (await fetch("/api/auth/refresh", { method: "POST" })).status);

const signsOut = (page: Page): Promise<number> =>
  page.evaluate(async () => (await fetch("/api/auth/logout", { method: "POST" })).status);

/** Good cookies of the neighbour's own session, in front of ours and behind, on our routes and on all. */
let own: readonly string[];
beforeAll(async () => {
  const { cookies } = await app.client.signedInBrowser();
  const [access, refresh] = [cookies.get(ACCESS_COOKIE), cookies.get(REFRESH_COOKIE)];
  const paths = ["/", "/api", "/api/auth", "/api/auth/refresh", "/sessions"];
  own = paths.flatMap((path) => [
    `${REFRESH_COOKIE}=${refresh}; Path=${path}`,
    `${ACCESS_COOKIE.replace("__Host-", "__Secure-")}=${access}; Path=${path}`,
  ]);
});

test("who is signed out stays so, whatever the neighbour has planted", async () => {
  const context = await open();
  await plant(context, own);
  const names = (await context.cookies(`${OURS}/api/auth/refresh`)).map(({ name }) => name);
  expect(names.filter((name) => name === REFRESH_COOKIE)).toHaveLength(4);
  const page = await context.newPage();
  expect(await loads(page)).toBeNull();
  expect(await refreshes(page)).toBe(401);
  expect(await loads(page)).toBeNull();
});

test("who is signed in goes on as who they are, signs out, and signs in anew", async () => {
  const context = await open();
  const [page, key] = [await context.newPage(), createWalletKeypair()];
  await signIn(page, key);
  await plant(context, own);
  expect(await loads(page)).toBe(key.account);
  for (const renew of [() => refreshes(page), () => loads(page)]) {
    await letAccessEnd(context);
    await renew();
    expect(await loads(page)).toBe(key.account);
  }
  expect(await signsOut(page)).toBe(204);
  expect(await loads(page)).toBeNull();
  await signIn(page, key);
  expect(await refreshes(page)).toBe(200);
});

test("cookies pushed out by number sign in nobody else, and a new sign-in heals", async () => {
  const context = await open();
  const [page, key] = [await context.newPage(), createWalletKeypair()];
  await signIn(page, key);
  for (const part of [0, 1]) {
    await plant(context, [
      ...Array.from({ length: 200 }, (_, at) => `a${part}-${at}=planted-by-the-hundred; Path=/`),
      ...own,
    ]);
  }
  expect([null, key.account]).toContain(await loads(page));
  expect(await signsOut(page)).toBe(204);
  expect(await loads(page)).toBeNull();
  await signIn(page, key);
  await letAccessEnd(context);
  expect(await loads(page)).toBe(key.account);
});
