// The package as its users get it: packed, unpacked into a project that is not ours, type-checked and run there.
import { execFileSync } from "node:child_process";
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { npm } from "../scripts/setup/npm.mjs";
import { root } from "../scripts/setup/root.mjs";

interface Manifest {
  exports: Record<string, string | { types: string; default: string }>;
  dependencies: Record<string, string>;
}

let project: string;
let installed: string;
let manifest: Manifest;

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "consumer-"));
  const { command, args } = npm("pack", "--workspace", "wallet-session", "--pack-destination", project);
  execFileSync(command, args, { cwd: root, stdio: "pipe" });
  const [tarball = ""] = readdirSync(project);
  execFileSync("tar", ["-xzf", tarball], { cwd: project });

  installed = join(project, "node_modules", "wallet-session");
  mkdirSync(dirname(installed));
  execFileSync("mv", [join(project, "package"), installed]);
  manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  // No registry here: what the package depends on comes from this repository's own packages.
  for (const name of [...Object.keys(manifest.dependencies), "@types/node"]) {
    const path = join(project, "node_modules", name);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(installedHere(name), path, "dir");
  }
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "consumer", type: "module" }));
});

afterAll(() => rmSync(project, { recursive: true, force: true }));

/** Where npm put it: with the package where its version is another than the root's, or else at the root. */
function installedHere(name: string): string {
  const own = join(root, "packages", "wallet-session", "node_modules", name);
  return existsSync(own) ? own : join(root, "node_modules", name);
}

function subpaths(): string[] {
  return Object.keys(manifest.exports)
    .filter((path) => path !== "./package.json")
    .map((path) => path.replace(/^\./, "wallet-session"));
}

test("brings its code, its types, its sources, a README and the licence, and no tests", () => {
  const files = globSync("**/*.*", { cwd: installed });
  expect(files).toEqual(
    expect.arrayContaining(["README.md", "dist/index.js", "dist/index.d.ts", "src/index.ts"]),
  );
  expect(existsSync(join(installed, "LICENSE"))).toBe(true);
  expect(files.filter((path) => /\.(?:test|fixture)\./.test(path))).toEqual([]);
});

test("all that `exports` names is there", () => {
  const targets = Object.values(manifest.exports).flatMap((target) =>
    typeof target === "string" ? target : [target.types, target.default],
  );
  expect(targets.filter((path) => !existsSync(join(installed, path)))).toEqual([]);
});

test("the app imports nothing of it that `exports` does not name", () => {
  // In this repository the imports go through tsconfig's `paths`, which know nothing of `exports`.
  const imports = globSync("{app/**/*.{ts,tsx},*.ts}", { cwd: root }).flatMap((path) =>
    [...readFileSync(join(root, path), "utf8").matchAll(/from "(wallet-session[^"]*)"/g)].map(
      ([, name]) => name,
    ),
  );
  expect(subpaths()).toEqual(expect.arrayContaining([...new Set(imports)]));
});

test.each([
  ["nodenext", "nodenext"],
  ["esnext", "bundler"],
])("its types hold for a consumer with module %s and moduleResolution %s", (module, moduleResolution) => {
  const names = subpaths();
  const source = [
    ...names.map((name, index) => `import * as part${index} from "${name}";`),
    'import type { SessionStore } from "wallet-session";',
    'import { createMemoryStore } from "wallet-session/stores/memory";',
    "export const store: SessionStore = createMemoryStore();",
    `export const parts: object[] = [${names.map((_, index) => `part${index}`).join(", ")}];`,
    "// @ts-expect-error: a store is not a string, so its type is not `any` either",
    "export const wrong: string = store;",
  ];
  writeFileSync(join(project, "consumer.ts"), source.join("\n"));
  const compilerOptions = {
    module,
    moduleResolution,
    target: "es2024",
    strict: true,
    noEmit: true,
    types: ["node"],
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["consumer.ts"] }));
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  expect(run(tsc, "-p", project)).toBe("");
});

test("Node loads each of its entries", () => {
  const source = subpaths().map((name) => `console.log(Object.keys(await import("${name}")).length > 0);`);
  writeFileSync(join(project, "consumer.mjs"), source.join("\n"));
  expect(run(join(project, "consumer.mjs"))).toBe("true\n".repeat(subpaths().length));
});

test("what the engine's entry loads has nothing of the tests in it, and the client's nothing of Node", () => {
  expect(reachable("dist/index.js").filter((name) => name.startsWith("dist/testing"))).toEqual([]);
  const loadedByClient = reachable("dist/client.js");
  expect(loadedByClient).toContain("dist/client.js");
  expect(loadedByClient.filter((name) => !name.startsWith("dist/"))).toEqual([]);
});

/** All modules that loading this one loads: files of the package by path, others by name. */
function reachable(entry: string): string[] {
  const found = new Set([entry]);
  for (const path of found) {
    if (!path.startsWith("dist/")) continue;
    const source = readFileSync(join(installed, path), "utf8");
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
    return execFileSync(process.execPath, args, { cwd: project, encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    return error instanceof Error && "stdout" in error && "stderr" in error
      ? `${error.stdout}${error.stderr}`
      : String(error);
  }
}
