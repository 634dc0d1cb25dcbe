// Somebody else's app on React Router, from the packed package: its router fetches the data of a page, and guards it.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, expect, test } from "vitest";
import { browserUnderTest } from "../browser/browser.ts";
import { installFreighter } from "../browser/freighter-wallet.ts";
import { startServer } from "../support/app-server.ts";
import { appUnderTest } from "../support/app-under-test.ts";
import { type Consumer, createExamples } from "../support/consumer.ts";
import { storedSession } from "../support/database.ts";

let consumer: Consumer | undefined;
afterAll(() => consumer?.remove());

const app = appUnderTest(
  () => ({ COOKIE_NAME: "" }),
  async (settings) => {
    consumer = await createExamples("react-router");
    const cwd = join(consumer.project, "react-router");
    const run = (...args: string[]) => execFileSync(process.execPath, args, { cwd, stdio: "pipe" });
    run("../node_modules/typescript/bin/tsc");
    run("../node_modules/@react-router/dev/bin.cjs", "build");
    const args = ["server.ts"];
    const program = {
      command: process.execPath,
      args,
      cwd,
      settings: { HORIZON_URL: "none" },
      readyPath: "/",
    };
    return startServer(program, settings);
  },
);
const browser = browserUnderTest(app);

/** Signed in by its own page, and home again. */
async function signedIn() {
  const context = await browser.open({ walletOf: null });
  const { key } = await installFreighter(context);
  const page = await context.newPage();
  await page.goto("/account");
  await page.waitForURL(({ pathname }) => pathname === "/sign-in");
  expect(new URL(page.url()).searchParams.get("next")).toBe("/account");
  const signIn = page.getByRole("button", { name: "Sign in with Freighter" });
  await signIn.click();
  const heading = page.getByRole("heading", { name: key?.account ?? "" });
  await heading.waitFor();
  const { session_id } = await (await context.request.get("/api/auth/session")).json();
  await page.getByRole("link", { name: "Home" }).click();
  await page.waitForURL(({ pathname }) => pathname === "/");
  return { context, page, heading, stored: () => storedSession(app.server, session_id) };
}

/** The paths that the page asks for, from now on. */
function asked(page: Page): string[] {
  const paths: string[] = [];
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (!/^\/assets\/|\/__manifest$/.test(pathname)) paths.push(pathname);
  });
  return paths;
}

const follow = (page: Page) => page.getByRole("link", { name: "Account" }).click();

test("the router's request for a guarded page brings its data", async () => {
  const { page, heading, stored } = await signedIn();
  const paths = asked(page);
  await follow(page);
  await heading.waitFor();
  expect(paths).toEqual(["/account.data"]);
  expect(stored()).toEqual({ generation: 1, revokedReason: null });
});

test("after the end of the access token it leaves the page, and comes back renewed", async () => {
  const { context, page, heading, stored } = await signedIn();
  await context.clearCookies({ name: /_access$/ });
  const paths = asked(page);
  await follow(page);
  await heading.waitFor();
  expect(paths.slice(0, 3)).toEqual(["/account.data", "/api/auth/refresh", "/account"]);
  expect(new URL(page.url()).pathname).toBe("/account");
  expect(stored()).toEqual({ generation: 2, revokedReason: null });
});

test("without a session any more it leads to the sign-in page, which knows the way back", async () => {
  const { context, page } = await signedIn();
  await context.clearCookies();
  await follow(page);
  await page.waitForURL(({ pathname }) => pathname === "/sign-in");
  expect(new URL(page.url()).searchParams.get("next")).toBe("/account");
});
