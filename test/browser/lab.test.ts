// The lab: each button does what it says, against a real server. What it did is read from its log.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import axe from "axe-core";
import type { BrowserContextOptions, Page } from "playwright-core";
import { describe, expect, onTestFinished, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { temporaryDirectory } from "../../packages/wallet-session/test/temporary-directory.ts";
import { root } from "../../scripts/setup/root.mjs";
import { appUnderTest } from "../support/app-under-test.ts";
import { browserUnderTest, isAlive, sessionOf, signIn } from "./browser.ts";

const database = temporaryDirectory();
const app = appUnderTest(() => ({ ACCESS_TOKEN_TTL: "12s", REFRESH_LEEWAY: "3s" }));
const browser = browserUnderTest(app);

const SCENARIO_LIMIT_MS = 90_000;

async function openLab(options?: BrowserContextOptions): Promise<Page> {
  const page = await (await browser.open(options)).newPage();
  await page.goto("/lab");
  return page;
}

/** Begins a session, presses a button of the lab and resolves with what the log says from there until the rule, in one line. */
async function show(page: Page, name: string): Promise<string> {
  await isAlive(page);
  await page.getByRole("button", { name: "Start a session" }).click();
  await page.getByText("Open: it will tell what becomes of the session.").waitFor();
  await page.getByRole("button", { name, exact: true }).click();
  const rules = page.getByRole("log").getByText("The rule", { exact: true });
  await rules.last().waitFor({ timeout: SCENARIO_LIMIT_MS });
  const entries = await page.getByRole("log").getByRole("listitem").allInnerTexts();
  const lines = entries.map((entry) => entry.replaceAll(/\s+/g, " "));
  return lines.slice(lines.findLastIndex((line) => line.includes(`Lab ${name}. `))).join(" ");
}

const SIGNATURES = "The wallet signed one challenge";

test("lost answer: the retry brings the same successor, and the generation rises once", async () => {
  const page = await openLab();
  const log = await show(page, "Lost answer");
  expect(log).toContain("POST /api/auth/refresh → no answer");
  expect(log).toContain("its row is at generation 2, and the client still holds 1");
  expect(log).toContain("the very same refresh token 2 that was lost, byte for byte");
  expect(log).toContain("The generation is 2. Two requests, and it rose by 1.");
});

describe("two tabs refresh at once, and both go on", () => {
  test("as a session of the lab's own, which is gone afterwards", async () => {
    const page = await openLab();
    const log = await show(page, "Two tabs");
    expect(log).toContain("Two requests, and the generation rose by 1, to 2.");
    expect(log).toContain("Asked once more, a moment later: the generation is 2.");
    expect(log).toMatch(/Tab A POST \/api\/auth\/logout → 204/);
    expect((await page.context().cookies()).map(({ name }) => name)).toEqual([]);
  });

  test("as the session of who is signed in, which goes on", async () => {
    const context = await browser.open();
    const before = await signIn(context);
    const { session_id } = await sessionOf(before);
    await before.close();
    const page = await context.newPage();
    await page.goto("/lab");
    const log = await show(page, "Two tabs");
    expect(log).toContain("the two tabs use its session");
    expect(log).toContain("Two requests, and the generation rose by 1");
    expect(log).not.toContain("/logout");
    expect(await sessionOf(page)).toMatchObject({ session_id });
  });
});

test("stolen token: the copy ends the session, for both, and the event stream says why", async () => {
  const page = await openLab();
  const log = await show(page, "Stolen token");
  expect(log).toMatch(/Thief POST \/api\/auth\/refresh → 401 refresh_token_reused/);
  expect(log).toContain("session.ended, refresh_token_reused");
  expect(log).toMatch(/Client POST \/api\/auth\/refresh → 401 refresh_token_revoked/);
  expect(log).toMatch(/Client GET \/api\/auth\/session → 401 session_revoked/);
  expect(log).toMatch(/Thief GET \/api\/auth\/session → 401 session_revoked/);
  await page.getByText("The client holds nothing.").waitFor();
});

test("sleep: the first call is refused, and cured without a signature", async () => {
  const page = await openLab();
  const log = await show(page, "Sleep");
  expect(log).toMatch(
    /Client GET \/api\/auth\/session → 401 access_token_expired.*Client POST \/api\/auth\/refresh → 200.*Client GET \/api\/auth\/session → 200/,
  );
  expect(await page.getByText(SIGNATURES).count()).toBe(1);
});

test("offline: requests fail, nobody is signed out, the retry carries the same key", async () => {
  const page = await openLab();
  const log = await show(page, "Offline");
  const keys = [...log.matchAll(/its key …(\w+), and is still signed in/g)].map(([, key]) => key);
  expect(keys.length).toBeGreaterThan(1);
  expect(new Set(keys).size).toBe(1);
  expect(log).toContain("Retried with the same key, and this time it came through");
  expect(log).toContain("The connection is gone; the session is not.");
  expect(await page.getByText(SIGNATURES).count()).toBe(1);
});

test("a session that is left alone renews itself, until it is ended", async () => {
  const page = await openLab();
  await isAlive(page);
  await page.getByRole("button", { name: "Start a session" }).click();
  await page.getByText("refresh token 2 in place of 1").waitFor({ timeout: 30_000 });
  await page.getByText("The same connection goes on.").first().waitFor();
  await page.getByRole("button", { name: "End the session" }).click();
  await page.getByText("Signed out: the session has ended").waitFor();
  expect(await page.getByText(SIGNATURES).count()).toBe(1);
});

test("where nothing would start the server again, its button is off and says why", async () => {
  const page = await openLab();
  const button = page.getByRole("button", { name: "Server restart" });
  expect(await button.isDisabled()).toBe(true);
  await page.getByText("Nothing would start this server again. Run it with npm run lab.").waitFor();
});

test("npm run lab: tokens of 20 seconds, and the session outlives the server's process", async () => {
  const lab = await npmRunLab();
  const page = await (await browser.open({ baseURL: lab.url })).newPage();
  await page.goto("/lab");
  const log = await show(page, "Server restart");
  expect(log).toMatch(/Process \d+ ends\..*Another process answers\..*It is the same session/);
  expect(await page.getByText(SIGNATURES).count()).toBe(1);
  await page.getByText(/^(20|1\d) s left$/).waitFor();
  expect(await page.getByText("Access tokens live").count()).toBe(0);
  await expect
    .poll(() => lab.output())
    .toContain("The server has ended as it was asked to, and is started again.");
});

describe("with tokens of the usual life", () => {
  const usual = appUnderTest();
  test("says so in a line, and what would take too long is off", async () => {
    const page = await (await browser.open({ baseURL: usual.server.publicUrl })).newPage();
    await page.goto("/lab");
    await page.getByText("Access tokens live 15 minutes here.").waitFor();
    expect(await page.getByRole("button", { name: "Sleep" }).isDisabled()).toBe(true);
  });
});

describe("in production", () => {
  const production = appUnderTest(() => ({ WALLET_SESSION_MODE: "production", HORIZON_URL: "none" }));

  test.each(["/lab", "/lab/anything"])("%s answers like any page that is not there", async (path) => {
    const at = (where: string) => fetch(`${production.server.address}${where}`);
    const [lab, nowhere] = await Promise.all([at(path), at("/nowhere")]);
    expect([lab.status, nowhere.status]).toEqual([404, 404]);
    const text = await lab.text();
    expect(text).toContain("There is no page here.");
    expect(text).not.toMatch(/lost answer|The life of a session/i);
  });

  test.each(["GET", "POST", "PUT", "DELETE"])(
    "%s /api/lab/server answers like any path that is not there",
    async (method) => {
      const at = async (path: string) => {
        const response = await fetch(`${production.server.address}${path}`, { method });
        return [response.status, await response.json()];
      };
      expect(await at("/api/lab/server")).toEqual(await at("/api/lab/nothing"));
    },
  );
});

test.each(["light", "dark"] as const)(
  "axe finds nothing in %s colours, on a desk or on a phone, and nothing but the picture scrolls sideways",
  async (colorScheme) => {
    const page = await openLab({ colorScheme, reducedMotion: "reduce" });
    expect(await violations(page)).toEqual([]);
    await show(page, "Lost answer");
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await violations(page)).toEqual([]);
      const overflow = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        return scrollWidth - clientWidth;
      });
      expect(overflow).toBe(0);
    }
  },
);

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } = Reflect.get(
      window,
      "axe",
    );
    const found = (await axe.run()).violations;
    return found.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  });
}

/** `npm run lab` as a developer types it, on a free port and with data of its own. */
async function npmRunLab(): Promise<{ url: string; output: () => string }> {
  const child: ChildProcess = spawn(process.execPath, [join(root, "scripts", "lab.mjs")], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env.PATH ?? "",
      HOME: process.env.HOME ?? "",
      NODE_ENV: "test",
      PORT: "0",
      LAB_DATABASE_URL: `sqlite:${database("lab.db")}`,
      AUTH_SECRET: "a secret of the lab's tests that is long enough",
      STELLAR_SIGNING_SEED: createWalletKeypair().seed,
    },
  });
  let output = "";
  const closed = once(child, "close");
  onTestFinished(async () => {
    const { exitCode, signalCode } = child;
    child.kill("SIGTERM");
    await closed;
    // Why the page has met no server any more.
    if (exitCode !== null || signalCode !== null)
      throw new Error(`It had ended, with ${exitCode ?? signalCode}:\n${output}`);
  });
  const url = await new Promise<string>((resolve, reject) => {
    const look = (chunk: Buffer) => {
      output += chunk;
      const [, found] = /Ready: open (\S+)/.exec(output) ?? [];
      if (found !== undefined) resolve(found);
    };
    child.stdout?.on("data", look);
    child.stderr?.on("data", look);
    closed.then(() => reject(new Error(output)));
  });
  return { url, output: () => output };
}
