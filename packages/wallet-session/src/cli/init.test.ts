import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { freePort } from "../../test/free-port.ts";
import { type } from "./cli.fixture.ts";
import { FRAMEWORKS } from "./init.ts";

const TEMPLATES = join(import.meta.dirname, "../../templates");

beforeEach(() => {
  const before = process.cwd();
  const directory = mkdtempSync(join(tmpdir(), "wallet-session-init-"));
  process.chdir(directory);
  onTestFinished(() => {
    process.chdir(before);
    rmSync(directory, { recursive: true });
  });
});

afterEach(() => {
  for (const signal of ["SIGTERM", "SIGINT"]) process.removeAllListeners(signal);
});

/** The files below a directory, by path. */
function files(directory: string): Record<string, string> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(directory.length + 1), readFileSync(path, "utf8")]),
  );
}

test.each(["production", undefined])("a server starts with what it prints (NODE_ENV %s)", async (mode) => {
  const { code, out } = await type("init");
  expect(code).toBe(0);
  writeFileSync(".env", out.join("\n"));
  const port = await freePort();
  const env = { NODE_ENV: mode, PORT: String(port), LOG_LEVEL: "silent" };
  const ended = type("serve --env-file .env", env);
  await vi.waitFor(
    async () => expect((await fetch(`http://127.0.0.1:${port}/api/readyz`)).status).toBe(200),
    10_000,
  );
  process.emit("SIGTERM", "SIGTERM");
  expect(await ended).toMatchObject({ code: 0 });
});

test("the secrets are others each time", async () => {
  const [first, second] = [await type("init"), await type("init")].map(({ out }) => parseEnv(out.join("\n")));
  expect(first?.AUTH_SECRET).not.toBe(second?.AUTH_SECRET);
  expect(first?.STELLAR_SIGNING_SEED).not.toBe(second?.STELLAR_SIGNING_SEED);
});

test.each(Object.keys(FRAMEWORKS))("--framework %s writes its template, once", async (framework) => {
  const { code, out, notes } = await type(`init --framework ${framework}`);
  const written = files(process.cwd());
  expect(code).toBe(0);
  expect(written).toEqual(files(join(TEMPLATES, framework)));
  expect(parseEnv(out.join("\n"))).toHaveProperty("AUTH_SECRET");
  for (const path of Object.keys(written)) expect(notes).toContain(`Wrote ${path}`);

  const again = await type(`init --framework ${framework}`);
  expect([again.code, again.out]).toEqual([1, []]);
  for (const path of Object.keys(written)) expect(again.notes.join()).toContain(path);
});

test("its imports are what it says that its files need", async () => {
  for (const [framework, packages] of Object.entries(FRAMEWORKS)) {
    const sources = Object.values(files(join(TEMPLATES, framework))).join("\n");
    const imported = [...sources.matchAll(/from "((?:@[\w-]+\/)?[\w-]+)/g)].map(([, name]) => name);
    expect(["wallet-session", ...packages]).toEqual(expect.arrayContaining(imported));
  }
});

test("a file that is there stays, and nothing is written beside it", async () => {
  writeFileSync("proxy.ts", "mine");
  const { code, out, notes } = await type("init --framework next");
  expect([code, out, notes]).toEqual([1, [], ["Nothing was written: there is proxy.ts already."]]);
  expect(files(process.cwd())).toEqual({ "proxy.ts": "mine" });
});

test("what cannot be written whole is not there at all", async () => {
  mkdirSync("app");
  // Where a directory would have to be.
  writeFileSync("app/sign-in", "mine");
  const { code, out } = await type("init --framework next");
  expect([code, out]).toEqual([1, []]);
  expect(readdirSync(".", { recursive: true }).sort()).toEqual(["app", "app/sign-in"]);
});

test("a Next app below src gets them there", async () => {
  mkdirSync("src/app", { recursive: true });
  await type("init --framework next");
  expect(files(join(process.cwd(), "src"))).toEqual(files(join(TEMPLATES, "next")));
});

test.each(["koa", "toString"])("%s is no framework that it knows: wrong usage", async (framework) => {
  expect(await type(`init --framework ${framework}`)).toMatchObject({
    code: 2,
    out: [],
    notes: [expect.stringContaining("next, express, fastify, hono")],
  });
});

test("the READMEs show the templates", () => {
  const root = join(import.meta.dirname, "../../../..");
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const shown = [...readme.matchAll(/^```tsx?\n\/\/ (\S+)[^\n]*\n([^`]*)```/gm)];
  const next = files(join(TEMPLATES, "next"));
  const same = shown.filter(([, path = "", code]) => next[path] === code).map(([, path]) => path);
  expect(same).toEqual([
    "sessions.ts",
    "app/api/auth/[...path]/route.ts",
    "proxy.ts",
    "app/account/page.tsx",
  ]);
});
