// The lab on servers of several kinds, and the one that `npm run lab` starts.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { temporaryDirectory } from "../../packages/wallet-session/test/temporary-directory.ts";
import { root } from "../../scripts/setup/root.mjs";
import { appUnderTest } from "../support/app-under-test.ts";
import { browserUnderTest } from "./browser.ts";
import { openLab, SIGNATURES, show } from "./lab-page.ts";

const database = temporaryDirectory();
const app = appUnderTest();
const browser = browserUnderTest(app);

test("where nothing would start the server again, its button is off and says why", async () => {
  const page = await openLab(browser);
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

test("with tokens of the usual life it says so in a line, and what would take too long is off", async () => {
  const page = await openLab(browser);
  await page.getByText("Access tokens live 15 minutes here.").waitFor();
  expect(await page.getByRole("button", { name: "Sleep" }).isDisabled()).toBe(true);
});

/** `npm run lab` as a developer types it, on a free port and with data of its own. */
async function npmRunLab(): Promise<{ url: string; output: () => string }> {
  const child: ChildProcess = spawn(process.execPath, [join(root, "scripts", "run.mjs"), "lab"], {
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
