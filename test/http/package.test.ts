// The package as its users get it: packed, unpacked into a project that is not ours, and run there. Its types and what it
// costs to install: `npm run check -- package`.
import { execFileSync } from "node:child_process";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "../../scripts/setup/root.mjs";
import { type Consumer, createConsumer, PACKED_WITHIN_MS } from "../support/consumer.ts";

let consumer: Consumer;

beforeAll(async () => {
  consumer = await createConsumer([]);
}, PACKED_WITHIN_MS);
afterAll(() => consumer?.remove());

test("brings its code, its types, its sources, a README and the licence, and no tests", () => {
  const files = globSync("**/*.*", { cwd: consumer.installed });
  expect(files).toEqual(
    expect.arrayContaining(["README.md", "dist/index.js", "dist/index.d.ts", "src/index.ts"]),
  );
  expect(existsSync(join(consumer.installed, "LICENSE"))).toBe(true);
  expect(files.filter((path) => /\.(?:test|fixture)\./.test(path))).toEqual([]);
});

test("all that `exports` names is there", () => {
  const targets = Object.values(consumer.manifest.exports).flatMap((target) =>
    typeof target === "string" ? target : [target.types, target.default],
  );
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

test("what the engine's entry loads has nothing of the tests in it, and the client's nothing of Node", () => {
  expect(reachable("dist/index.js").filter((name) => name.startsWith("dist/testing"))).toEqual([]);
  const loadedByClient = reachable("dist/client.js");
  expect(loadedByClient).toContain("dist/client.js");
  expect(loadedByClient.filter((name) => !name.startsWith("dist/"))).toEqual([]);
});

test("nothing but its part for Next asks for Next", () => {
  const loaded = (entry: string) => reachable(`dist/${entry}.js`).filter((name) => /^next\b/.test(name));
  const others = consumer.entries.map((name) => name.replace(/^wallet-session\/?/, "") || "index");
  expect(others.filter((entry) => loaded(entry).length > 0)).toEqual(["next"]);
});

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
