// Apps on the oldest major versions of Next and React that the package takes, and in Jest: npm installs the packed package there.
// Needs npm's registry or its cache, as `npm ci` here does: what they stand on has lock files of its own.
import { execFileSync } from "node:child_process";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { npm } from "../../scripts/setup/child.mjs";
import { type Consumer, installConsumer, PACKED_WITHIN_MS } from "../support/consumer.ts";
import { buildExampleNext } from "../support/example-next.ts";
import { testExample } from "../support/example-under-test.ts";
import { NAVIGATION } from "../support/page-load.ts";

const readJson = (...path: string[]) => JSON.parse(readFileSync(join(...path), "utf8"));

let consumer: Consumer;
const install = (fixture: string) => {
  beforeAll(async () => {
    consumer = await installConsumer(join(import.meta.dirname, "older-peers", fixture));
  }, PACKED_WITHIN_MS);
  afterAll(() => consumer?.remove());
};

describe("Next 15 with React 18", () => {
  install("next-15");
  const example = testExample(
    {
      name: "next",
      signIn: "/sign-in",
      pages: ["app/account/page.tsx", "app/sign-in/page.tsx"],
      prepare: (cwd) => {
        renameToMiddleware(cwd);
        return buildExampleNext(cwd, consumer, {});
      },
    },
    () => consumer,
  );

  test("a page load is led to no other host than it has asked, behind a proxy that ends TLS too", async () => {
    const headers = { ...NAVIGATION, Host: "pay.example.com", "X-Forwarded-Proto": "https" };
    const away = await example.client.send("GET", "/account", { headers });
    expect(away.headers.get("location")).toMatch(/^\/api\/auth\/refresh\?/);
  });

  test("are what it runs on, its middleware in the edge runtime", () => {
    const version = (name: string) =>
      readJson(consumer.project, "node_modules", name, "package.json").version;
    expect([version("next"), version("react")]).toEqual([
      expect.stringMatching(/^15\./),
      expect.stringMatching(/^18\./),
    ]);
    const { middleware } = readJson(consumer.project, "next", ".next", "server", "middleware-manifest.json");
    expect(middleware).toMatchObject({ "/": { matchers: [{ originalSource: "/account/:path*" }] } });
  });
});

/** As Next 15 calls the proxy. */
function renameToMiddleware(cwd: string): void {
  const path = join(cwd, "middleware.ts");
  renameSync(join(cwd, "proxy.ts"), path);
  writeFileSync(path, readFileSync(path, "utf8").replace("const proxy", "const middleware"));
}

describe("Jest 30 without settings", () => {
  install("jest");

  test("signs in, in memory and on SQLite, with made secrets", () => {
    const { command, args } = npm("test", "--", "--json", "--outputFile=result.json");
    execFileSync(command, args, { cwd: consumer.project, stdio: "pipe" });
    expect(readJson(consumer.project, "result.json")).toMatchObject({ success: true, numPassedTests: 6 });
  });
});
