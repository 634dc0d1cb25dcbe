// The package as its users get it: packed, unpacked into a project that is not ours, and run there. Its types and what it
// costs to install: `npm run check -- package`.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { freePort } from "../../packages/wallet-session/test/free-port.ts";
import { npm } from "../../scripts/setup/child.mjs";
import { root } from "../../scripts/setup/root.mjs";
import { type Consumer, createConsumer, type ExportTarget, PACKED_WITHIN_MS } from "../support/consumer.ts";

let consumer: Consumer;

beforeAll(async () => {
  consumer = await createConsumer([]);
}, PACKED_WITHIN_MS);
afterAll(() => consumer?.remove());

test("brings its code, its types, its sources, its documents and the licence, and no tests", () => {
  const files = globSync("**/*.*", { cwd: consumer.installed });
  expect(files).toEqual(
    expect.arrayContaining([
      "README.md",
      "dist/index.js",
      "dist/index.d.ts",
      "src/index.ts",
      "docs/configuration.md",
      "docs/stores.md",
    ]),
  );
  expect(existsSync(join(consumer.installed, "LICENSE"))).toBe(true);
  expect(files.filter((path) => /\.(?:test|fixture)\./.test(path))).toEqual([]);
});

test("every link of its documents leads to something that it brings", () => {
  const links = globSync("{*,docs/*}.md", { cwd: consumer.installed }).flatMap((page) =>
    [...readFileSync(join(consumer.installed, page), "utf8").matchAll(/\]\(([^)#]+)[^)]*\)/g)]
      .map(([, target = ""]) => target)
      .filter((target) => !/^[a-z]+:/.test(target))
      .map((target) => join(dirname(page), target)),
  );
  expect(links.length).toBeGreaterThan(50);
  expect(links.filter((path) => !existsSync(join(consumer.installed, path)))).toEqual([]);
});

test("its README names every entry, and it says where it comes from", () => {
  const readme = readFileSync(join(consumer.installed, "README.md"), "utf8");
  const named = consumer.entries.filter((name) => readme.includes(`\`${name}\``));
  expect(consumer.entries.filter((name) => !name.includes("/internal/"))).toEqual(named);
  expect(consumer.manifest.repository).toMatchObject({ directory: "packages/wallet-session" });
});

test("all that `exports` names is there", () => {
  const targets = Object.values(consumer.manifest.exports).flatMap(filesOf);
  expect(targets.filter((path) => !existsSync(join(consumer.installed, path)))).toEqual([]);
});

test("the app imports nothing of it that `exports` does not name", () => {
  // In this repository the imports go through tsconfig's `paths`, which know nothing of `exports`.
  const imports = globSync("{app/**/*.{ts,tsx},*.ts}", { cwd: root }).flatMap((path) =>
    [...readFileSync(join(root, path), "utf8").matchAll(/from "(wallet-session[^"]*)"/g)].map(
      ([, name]) => name,
    ),
  );
  expect(consumer.entries).toEqual(expect.arrayContaining([...new Set(imports)]));
});

test("Node loads each of its entries", () => {
  const source = consumer.entries.map(
    (name) => `console.log(Object.keys(await import("${name}")).length > 0);`,
  );
  writeFileSync(join(consumer.project, "consumer.mjs"), source.join("\n"));
  expect(run(join(consumer.project, "consumer.mjs"))).toBe("true\n".repeat(consumer.entries.length));
});

test("Jest, which loads no ES modules, gets all that an app imports as CommonJS, with the same classes in each entry", () => {
  const entries = Object.fromEntries(
    Object.entries(consumer.manifest.exports).flatMap(([name, target]) =>
      typeof target === "object" && typeof target.require === "object"
        ? [[name, join(consumer.installed, String(target.require.default))]]
        : [],
    ),
  );
  const program = join(root, "test", "support", "another-realm.cjs");
  expect(JSON.parse(run(program, JSON.stringify(entries)))).toEqual({
    loaded: consumer.entries
      .filter((name) => !name.includes("/internal/"))
      .map((name) => name.replace("wallet-session", ".")),
    refused: true,
  });
});

test("Node's `require` and its `import` get the same modules", () => {
  const source = `import { createRequire } from "node:module";
    import { SessionError } from "wallet-session";
    console.log(createRequire(import.meta.url)("wallet-session").SessionError === SessionError);`;
  writeFileSync(join(consumer.project, "both.mjs"), source);
  expect(run(join(consumer.project, "both.mjs"))).toBe("true\n");
});

test("no entry loads SQLite before it is asked for, so that an older Node can say what it lacks", () => {
  const loaded = consumer.entries.flatMap((name) =>
    reachable(`dist/${name.replace(/^wallet-session\/?/, "") || "index"}.js`),
  );
  expect(loaded).toContain("node:crypto");
  expect(loaded).not.toContain("node:sqlite");
});

test("a server that npx runs ends with npx", async () => {
  const bin = join(consumer.project, "node_modules", ".bin");
  mkdirSync(bin, { recursive: true });
  symlinkSync(join(consumer.installed, consumer.manifest.bin["wallet-session"]), join(bin, "wallet-session"));
  const { command, args } = npm("exec", "--", "wallet-session", "serve");
  const port = await freePort();
  const env = { ...process.env, PORT: `${port}`, LOG_LEVEL: "silent" };
  const npx = spawn(command, args, { cwd: consumer.project, env, stdio: "ignore" });
  const answers = () => fetch(`http://127.0.0.1:${port}/api/healthz`);
  await vi.waitFor(answers, { timeout: 20_000, interval: 50 });
  npx.kill("SIGTERM");
  await vi.waitFor(() => expect(answers()).rejects.toThrow(), { timeout: 10_000, interval: 50 });
});

test("what the engine's entry loads has nothing of the tests in it, and the client's nothing of Node", () => {
  expect(reachable("dist/index.js").filter((name) => name.startsWith("dist/testing"))).toEqual([]);
  const loadedByClient = reachable("dist/client.js");
  expect(loadedByClient).toContain("dist/client.js");
  expect(loadedByClient.filter((name) => !name.startsWith("dist/"))).toEqual([]);
});

test("Next's edge runtime, where its middleware may run, gets the proxy, and nothing of Node with it", () => {
  const next = consumer.manifest.exports["./next"];
  expect(next).toHaveProperty("edge-light.default", "./dist/next/proxy.js");
  const others = reachable("dist/next/proxy.js").filter((name) => !name.startsWith("dist/"));
  // The one that it has.
  expect(others).toEqual(["node:async_hooks"]);
});

test("nothing but its part for Next asks for Next", () => {
  const loaded = (entry: string) => reachable(`dist/${entry}.js`).filter((name) => /^next\b/.test(name));
  const others = consumer.entries.map((name) => name.replace(/^wallet-session\/?/, "") || "index");
  expect(others.filter((entry) => loaded(entry).length > 0)).toEqual(["next"]);
});

function filesOf(target: ExportTarget): string[] {
  return typeof target === "string" ? [target] : Object.values(target).flatMap(filesOf);
}

/** All modules that loading this one loads: files of the package by path, others by name. */
function reachable(entry: string): string[] {
  const found = new Set([entry]);
  for (const path of found) {
    if (!path.startsWith("dist/")) continue;
    const source = readFileSync(join(consumer.installed, path), "utf8");
    for (const [, name = ""] of source.matchAll(
      /^(?:import|export|\}).*?from "([^"]+)"|^import "([^"]+)"/gm,
    )) {
      found.add(name.startsWith(".") ? normalize(join(dirname(path), name)) : name);
    }
  }
  return [...found];
}

/** Runs a script under this Node, and gives all that it prints, whether it fails or not. */
function run(...args: string[]): string {
  try {
    return execFileSync(process.execPath, args, { cwd: consumer.project, encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    return error instanceof Error && "stdout" in error && "stderr" in error
      ? `${error.stdout}${error.stderr}`
      : String(error);
  }
}
