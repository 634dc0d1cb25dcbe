// Somebody else's app on Next under its own `basePath`, with `trailingSlash` and as `output: "standalone"`, all together: in a
// real browser for five lives of an access token, on PostgreSQL, then on Redis.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Challenge, SessionClient } from "wallet-session/client";
import { createWalletKeypair } from "wallet-session/testing";
import { createTokenClient, memoryKey, memoryStorage, stellarSignIn } from "wallet-session/token-client";
import { temporaryDatabase } from "../../packages/wallet-session/src/stores/postgres/database.fixture.ts";
import {
  type OwnServer,
  startOwnServer,
} from "../../packages/wallet-session/src/stores/redis/own-server.fixture.ts";
import { root } from "../../scripts/setup/root.mjs";
import { launchChromium } from "../browser/chromium.ts";
import { type AppServer, startServer } from "../support/app-server.ts";
import { type Consumer, createConsumer } from "../support/consumer.ts";
import { ACCESS_COOKIE, REFRESH_COOKIE } from "../support/cookies.ts";

const BUILD_WITHIN_MS = 600_000;
const ACCESS_TTL_MS = 12_000;
const LIFETIMES = 5;
const BASE = "/shop/api/auth";

/** What its readers have or write besides what `init` writes; the sign-in page keeps its client where the test finds it. */
const OWN = {
  "app/layout.tsx": `export default function Layout({ children }) {
    return <html lang="en"><body>{children}</body></html>;
  }`,
  "app/account/devices/page.tsx": `import { redirect } from "next/navigation";
  import { guard } from "../../../sessions";
  async function act() {
    "use server";
    const { actorId } = await guard.require("/account/devices", { fresh: true });
    redirect("/account/devices?done=" + actorId);
  }
  export default () => <form action={act}><button>Act</button></form>;`,
  "app/api/boats/route.ts": `import { sessions } from "../../../sessions";
  export const GET = (request) =>
    sessions.handlers.guard(request).then(({ actorId }) => Response.json({ actorId }), sessions.handlers.problem);`,
  "app/sign-in/page.tsx": `"use client";
  import { useEffect } from "react";
  import { createSessionClient } from "wallet-session/client";
  export default function SignIn() {
    useEffect(() => { window.client = createSessionClient({ cookieName: "ws", leewaySeconds: 3 }); }, []);
    return <h1>Sign in</h1>;
  }`,
  "next.config.mjs": `export default ${JSON.stringify({
    basePath: "/shop",
    trailingSlash: true,
    output: "standalone",
    typescript: { ignoreBuildErrors: true },
    // Nobody else's node_modules is made of links out of the project.
    turbopack: { root: "/" },
    outputFileTracingRoot: "/",
  })};`,
};

const database = temporaryDatabase();
const key = createWalletKeypair();
let redis: OwnServer;
let consumer: Consumer;
let standalone: string | undefined;
let server: AppServer;
let chromium: Browser;

beforeAll(async () => {
  redis = await startOwnServer("--appendonly", "yes", "--appendfsync", "always");
  consumer = await createConsumer([
    "next",
    "react",
    "react-dom",
    "@stellar/freighter-api",
    "typescript",
    "@types",
  ]);
  const cwd = join(consumer.project, "next");
  mkdirSync(cwd);
  const bin = join(consumer.installed, consumer.manifest.bin["wallet-session"]);
  execFileSync(process.execPath, [bin, "init", "--framework", "next"], { cwd, stdio: "pipe" });
  for (const [path, source] of Object.entries(OWN)) {
    mkdirSync(dirname(join(cwd, path)), { recursive: true });
    writeFileSync(join(cwd, path), source);
  }
  for (const name of ["pg", "@redis/client"]) installForReal(name);
  const next = join(consumer.project, "node_modules", "next", "dist", "bin", "next");
  const env = { ...process.env, NODE_ENV: "production" as const, NEXT_TELEMETRY_DISABLED: "1" };
  execFileSync(process.execPath, [next, "build"], { cwd, env, stdio: "pipe" });
  // Away from where it was built: there is nothing else to find than what was taken along.
  standalone = mkdtempSync(join(tmpdir(), "standalone-"));
  renameSync(join(cwd, ".next", "standalone"), join(standalone, "app"));
  const app = join(standalone, "app", cwd);
  cpSync(join(cwd, ".next", "static"), join(app, ".next", "static"), { recursive: true });
  consumer.remove();
  server = await startServer(
    {
      command: process.execPath,
      args: ["server.js"],
      cwd: app,
      settings: SETTINGS,
      readyPath: "/shop/sign-in/",
    },
    { DATABASE_URL: database.url },
  );
  chromium = await launchChromium();
}, BUILD_WITHIN_MS);

const SETTINGS = {
  HOSTNAME: "127.0.0.1",
  HORIZON_URL: "none",
  AUTH_BASE_PATH: BASE,
  ACCESS_TOKEN_TTL: `${ACCESS_TTL_MS / 1_000}s`,
  REFRESH_LEEWAY: "3s",
};

afterAll(async () => {
  await chromium?.close();
  await server?.stop();
  await redis?.end();
  if (standalone !== undefined) rmSync(standalone, { recursive: true, force: true });
});

/** With all that it needs, as files and not as links, which a build would take along as links. */
function installForReal(name: string): void {
  const target = join(consumer.project, "node_modules", name);
  const source = join(root, "node_modules", name);
  rmSync(target, { recursive: true, force: true });
  cpSync(source, target, { recursive: true, dereference: true });
  const { dependencies = {} } = JSON.parse(readFileSync(join(source, "package.json"), "utf8"));
  for (const dependency of Object.keys(dependencies)) installForReal(dependency);
}

type Window = { client: SessionClient; sign(challenge: Challenge): Promise<string> };

async function signedIn(): Promise<Page> {
  const context = await chromium.newContext({ baseURL: server.publicUrl });
  const page = await context.newPage();
  await page.exposeFunction("sign", ({ transaction, networkPassphrase }: Challenge) =>
    key.sign({ transaction, network_passphrase: networkPassphrase }),
  );
  await page.goto("/shop/account");
  expect(new URL(page.url()).pathname).toBe("/shop/sign-in/");
  await page.waitForFunction("window.client");
  const state = await page.evaluate((account) => {
    const { client, sign } = window as unknown as Window;
    client.start();
    return client.signIn({ account, sign });
  }, key.account);
  expect(state.status).toBe("signed-in");
  const cookies = await context.cookies(`${server.publicUrl}${BASE}/refresh`);
  expect(cookies.find(({ name }) => name === REFRESH_COOKIE)?.path).toBe(BASE);
  return page;
}

const statusOf = (page: Page) => page.evaluate(() => (window as unknown as Window).client.state.status);

test("five lives of an access token by script and by page load, an action, and sign-out", async () => {
  const page = await signedIn();
  const context = page.context();
  const renewals: number[] = [];
  page.on("response", (response) => {
    if (new URL(response.url()).pathname === `${BASE}/refresh/`) renewals.push(response.status());
  });
  const cold = await context.newPage();
  for (let life = 1; life <= LIFETIMES; life += 1) {
    await delay(ACCESS_TTL_MS);
    expect([life, await statusOf(page)]).toEqual([life, "signed-in"]);
    // As after a night: the page load has to renew by itself.
    await context.clearCookies({ name: ACCESS_COOKIE });
    await cold.goto(life % 2 === 0 ? "/shop/account" : "/shop/account/");
    expect([life, new URL(cold.url()).pathname]).toEqual([life, "/shop/account/"]);
    expect(await cold.textContent("body")).toContain(key.account);
  }
  expect(renewals.length).toBeGreaterThanOrEqual(LIFETIMES - 1);
  expect(new Set(renewals)).toEqual(new Set([200]));

  for (const signedInFor of ["a while", "too long"]) {
    await cold.goto("/shop/account/devices/", { waitUntil: "networkidle" });
    if (signedInFor === "too long") await context.clearCookies({ name: ACCESS_COOKIE });
    await cold.click("button");
    await cold.waitForURL(`**/shop/account/devices/?done=${key.account}`);
  }

  await page.evaluate(() => (window as unknown as Window).client.signOut());
  await cold.goto("/shop/account/");
  expect(new URL(cold.url()).pathname).toBe("/shop/sign-in/");
  const left = await context.cookies();
  expect(left.filter(({ name }) => name === ACCESS_COOKIE || name === REFRESH_COOKIE)).toEqual([]);
  await context.close();
});

test("a program with a DPoP key proves the addresses that it sees, of our endpoints and of the app's own routes", async () => {
  const { account, sign } = createWalletKeypair();
  const client = createTokenClient({
    url: server.publicUrl + BASE,
    storage: memoryStorage(),
    dpop: { key: memoryKey() },
    signIn: stellarSignIn(account, sign),
    restMs: 0,
  });
  for (const path of ["/shop/api/boats", "/shop/api/boats/?page=1", `${BASE}/session`, `${BASE}/session/`]) {
    const answer = await client.fetch(path);
    expect([path, answer.status]).toEqual([path, 200]);
    expect(JSON.stringify(await answer.json())).toContain(account);
    expect((await client.refresh()).status).toBe("signed-in");
  }
  const bearer = { Authorization: `Bearer ${await client.accessToken()}` };
  expect((await fetch(`${server.publicUrl}/shop/api/boats/`, { headers: bearer })).status).toBe(401);
});

test("Redis was taken along as well", async () => {
  await server.kill("SIGTERM");
  await server.start({ DATABASE_URL: redis.url });
  const page = await signedIn();
  await page.context().clearCookies({ name: ACCESS_COOKIE });
  await page.goto("/shop/account/");
  expect(await page.textContent("body")).toContain(key.account);
  await page.context().close();
});
