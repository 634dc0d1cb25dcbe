// The page and the API of examples/other-origin, on two sites, from the packed package.
import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ScriptedServer } from "../../packages/wallet-session/test/scripted-server.ts";
import { browserUnderTest, PATIENTLY } from "../browser/browser.ts";
import { installFreighter } from "../browser/freighter-wallet.ts";
import { startServer } from "../support/app-server.ts";
import { appUnderTest } from "../support/app-under-test.ts";
import { type Consumer, createExamples, PACKED_WITHIN_MS } from "../support/consumer.ts";
import { storedSession } from "../support/database.ts";
import { bearer } from "../support/session-client.ts";

let consumer: Consumer;
let cwd: string;
const site = new ScriptedServer();

const app = appUnderTest(
  () => ({ ACCESS_TOKEN_TTL: "4s", REFRESH_LEEWAY: "1s" }),
  async (settings) => {
    consumer = await createExamples("other-origin");
    cwd = join(consumer.project, "other-origin");
    await site.start();
    const program = { command: process.execPath, args: ["api/server.ts"], cwd };
    return startServer(
      { ...program, settings: { HORIZON_URL: "none" }, readyPath: "/.well-known/jwks.json" },
      { ...settings, APP_ORIGIN: site.origin },
    );
  },
);
const browser = browserUnderTest(app);

beforeAll(() => {
  // The API is at localhost and the page at 127.0.0.1: to a browser two sites.
  const env = { ...process.env, VITE_API_ORIGIN: app.server.publicUrl };
  const run = (...args: string[]) => execFileSync(process.execPath, args, { cwd, env, stdio: "pipe" });
  run("../node_modules/typescript/bin/tsc");
  run("../node_modules/vite/bin/vite.js", "build");
  for (const path of globSync("**/*.{html,js}", { cwd: join(cwd, "dist") })) {
    const text = readFileSync(join(cwd, "dist", path), "utf8");
    const type = path.endsWith(".js") ? "text/javascript" : "text/html";
    site.answers(`GET /${path.replace(/^index\.html$/, "")}`, (_, response) => {
      response.writeHead(200, { "content-type": type }).end(text);
    });
  }
}, PACKED_WITHIN_MS);
afterAll(async () => {
  await site.stop();
  consumer.remove();
});

const status = (page: Page) => page.locator("#status").textContent();

/** What the page shows when a click has been answered. The click clears what it showed before. */
async function click(page: Page, name: string): Promise<unknown> {
  await page.getByRole("button", { name }).click();
  return JSON.parse((await page.locator("output:not(:empty)").textContent()) ?? "");
}

const boats = (page: Page) => click(page, "Show my boats");

test("a page of another site signs in, stays so past the end of its tokens, and hears of the end; no cookie is set", async () => {
  const context = await browser.open({ walletOf: null, mayComplainOf: /Failed to load resource/ });
  const { key } = await installFreighter(context);
  if (key === null) throw new Error("The wallet has no key.");
  const page = await context.newPage();
  await page.goto(site.origin);
  expect(await boats(page)).toMatchObject({ code: "access_token_missing" });

  await click(page, "Sign in with Freighter");
  expect(await status(page)).toBe("signed-in");
  expect(await boats(page)).toEqual({ owner: key.account, boats: [] });

  const { accessToken, sessionId: own } = await app.client.signIn(key);
  const { sessions } = (await app.client.list(accessToken)).json as {
    sessions: { id: string; binding: string | null }[];
  };
  const { id: sessionId = "", binding } = sessions.find(({ id }) => id !== own) ?? {};
  expect(binding).toBe("dpop");
  const generation = () => storedSession(app.server, sessionId).generation;
  await expect
    .poll(async () => [await boats(page), generation() > 2], PATIENTLY)
    .toEqual([{ owner: key.account, boats: [] }, true]);
  expect(await context.cookies()).toEqual([]);

  const { accessToken: late } = await app.client.signIn(key);
  const ended = await app.client.send("DELETE", `/api/auth/sessions/${sessionId}`, { headers: bearer(late) });
  expect(ended.status).toBe(204);
  expect(await boats(page)).toMatchObject({ status: 401 });
  expect(await status(page)).toBe("signed-out");

  await click(page, "Sign in with Freighter");
  expect(await click(page, "Sign out")).toMatchObject({ status: "signed-out" });
  expect(await status(page)).toBe("signed-out");
});

test("its key stays in the browser: no script reads it, what is sent with it opens nothing elsewhere, and a reload keeps it", async () => {
  const context = await browser.open({ walletOf: null, mayComplainOf: /Failed to load resource/ });
  const { key } = await installFreighter(context);
  const page = await context.newPage();
  await page.goto(site.origin);
  const sent: { authorization: string; dpop: string }[] = [];
  page.on("request", (request) => {
    const { authorization, dpop } = request.headers();
    if (authorization && dpop) sent.push({ authorization, dpop });
  });
  const thumbprints = async () => {
    expect(await boats(page)).toEqual({ owner: key?.account, boats: [] });
    const [, claims = ""] = sent.at(-1)?.authorization.split(".") ?? [];
    return JSON.parse(Buffer.from(claims, "base64url").toString()).cnf.jkt;
  };
  await click(page, "Sign in with Freighter");
  const first = await thumbprints();
  const { authorization = "", dpop = "" } = sent.at(-1) ?? {};
  const token = authorization.replace("DPoP ", "");
  for (const headers of [
    bearer(token),
    { Authorization: authorization },
    { Authorization: authorization, DPoP: dpop },
  ]) {
    expect((await fetch(new URL("/api/boats", app.server.address), { headers })).status).toBe(401);
  }

  expect(await page.evaluate(exportKey)).toEqual(["private", false, "InvalidAccessError"]);
  await page.reload();
  await click(page, "Sign in with Freighter");
  expect(await thumbprints()).toBe(first);

  await page.evaluate(forgetKey);
  await page.reload();
  await click(page, "Sign in with Freighter");
  expect(await thumbprints()).not.toBe(first);
});

/** Runs in the page, as when a person clears the data of the site. */
function forgetKey(): Promise<unknown> {
  return new Promise((resolve) => {
    indexedDB.deleteDatabase("wallet-session").onsuccess = resolve;
  });
}

/** Runs in the page: what it learns of the key, as an injected script would. */
async function exportKey(): Promise<unknown[]> {
  const database = await new Promise<IDBDatabase>((resolve) => {
    const opening = indexedDB.open("wallet-session");
    opening.onsuccess = () => resolve(opening.result);
  });
  const pair = await new Promise<CryptoKeyPair>((resolve) => {
    const asked = database.transaction("keys").objectStore("keys").get("dpop");
    asked.onsuccess = () => resolve(asked.result);
  });
  database.close();
  const { type, extractable } = pair.privateKey;
  const fault = await crypto.subtle.exportKey("jwk", pair.privateKey).catch(({ name }) => name);
  return [type, extractable, fault];
}
