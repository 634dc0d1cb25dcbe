// Somebody else's app on Next, which mounts the packed package: built and started as its readers would, then used.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import type { Program } from "../support/app-server.ts";
import type { Consumer } from "../support/consumer.ts";
import { ACCESS_COOKIE } from "../support/cookies.ts";
import { storedSession } from "../support/database.ts";
import { testExample } from "../support/example-under-test.ts";
import { loadPage } from "../support/page-load.ts";

const example = testExample({
  name: "next",
  signIn: "/sign-in",
  pages: ["app/account/actions.ts", "app/account/page.tsx", "app/sign-in/page.tsx"],
  prepare,
});

function prepare(cwd: string, consumer: Consumer): Program {
  const bin = join(consumer.project, "node_modules", "next", "dist", "bin", "next");
  // The bundler follows a link out of the project only below this root; nobody else's node_modules is made of links.
  const config = { turbopack: { root: "/" } };
  writeFileSync(join(cwd, "next.config.mjs"), `export default ${JSON.stringify(config)};`);
  const env = { ...process.env, NODE_ENV: "production" as const, NEXT_TELEMETRY_DISABLED: "1" };
  execFileSync(process.execPath, [bin, "build"], { cwd, env, stdio: "pipe" });
  const args = [bin, "start", "--hostname", "127.0.0.1"];
  return { command: process.execPath, args, cwd, settings: { HORIZON_URL: "none" }, readyPath: "/sign-in" };
}

test("an action acts for the signed-in visitor, and renews nothing for anybody else", async () => {
  const { client, server } = example;
  const key = createWalletKeypair();
  const [jar, other] = [await client.signedInBrowser(key), await client.signedInBrowser(key)];
  const { last } = await loadPage(jar.send, "/account");
  const [, action = ""] = /\$ACTION_ID_([0-9a-f]+)/.exec(last.text) ?? [];
  // As Next's own script calls it, from a page at the server's own address: Next compares it with the Host.
  const call = () =>
    jar.send("POST", "/account", {
      headers: {
        Origin: server.address,
        Accept: "text/x-component",
        "Content-Type": "text/plain;charset=UTF-8",
        "Next-Action": action,
      },
      body: "[]",
    });
  expect((await call()).status).toBe(200);
  expect(storedSession(server, other.sessionId).revokedReason).not.toBeNull();

  jar.cookies.delete(ACCESS_COOKIE);
  const away = await call();
  // The action itself has renewed nothing: that is left to the browser that follows it.
  expect(storedSession(server, jar.sessionId).generation).toBe(1);
  const [bounce = ""] = (away.headers.get("x-action-redirect") ?? "").split(";");
  expect(bounce).toMatch(/^\/api\/auth\/refresh\?/);
  expect((await loadPage(jar.send, bounce)).addresses.at(-1)).toBe("/account");
  expect(storedSession(server, jar.sessionId)).toEqual({ generation: 2, revokedReason: null });
});

test("hostile heads are cut before Next reads them", async () => {
  const { account } = createWalletKeypair();
  const path = (pairs: number) => `/api/auth/wallet?${"a=1&".repeat(pairs)}account=${account}`;
  expect((await example.client.send("GET", path(99))).status).toBe(200);
  expect((await example.client.send("GET", path(2_500))).status).toBe(400);
});
