import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fingerprintOfAppInputs } from "./app-inputs.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "app-inputs-"));
  write("app/page.tsx", "page");
  write("package-lock.json", "{}");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function write(path: string, content: string) {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), content);
}

function changes(path: string): boolean {
  const before = fingerprintOfAppInputs(directory);
  write(path, "new");
  return fingerprintOfAppInputs(directory) !== before;
}

test.each([
  "app/page.tsx",
  "app/docs/page.tsx",
  "app/new/route.ts",
  "packages/wallet-session/src/index.ts",
  "public/icon.svg",
  "components/button.tsx",
  "next.config.ts",
  "proxy.ts",
  "package-lock.json",
  ".env.production",
])("%s makes the build stale", (path) => {
  expect(changes(path)).toBe(true);
});

test.each([
  "app/api/auth/wallet/route.test.ts",
  "app/api/server.fixture.ts",
  "test/http.test.ts",
  "packages/wallet-session/templates/next/proxy.ts",
  "data/wallet-session.db",
  "coverage/index.html",
  "packages/wallet-session/dist/index.js",
  "packages/wallet-session/docs/api.md",
  "examples/react-router/server.ts",
  "node_modules/next/package.json",
  ".next/BUILD_ID",
  "README.md",
  "next-env.d.ts",
  "tsconfig.tsbuildinfo",
])("%s does not", (path) => {
  expect(changes(path)).toBe(false);
});

test("a file moved with its content makes the build stale", () => {
  const before = fingerprintOfAppInputs(directory);
  rmSync(join(directory, "app/page.tsx"));
  write("app/elsewhere/page.tsx", "page");
  expect(fingerprintOfAppInputs(directory)).not.toBe(before);
});
