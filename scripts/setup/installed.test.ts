import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { firstDifference } from "./installed.mjs";
import { root } from "./root.mjs";

const locked = {
  "": {},
  "node_modules/a": { version: "1.0.0", integrity: "sha512-a" },
  "node_modules/for-another-platform": { version: "1.0.0", optional: true },
};
const a = locked["node_modules/a"];

test.each([
  ["just what is locked", { "node_modules/a": a }, null],
  [
    "an optional package too",
    { "node_modules/a": a, "node_modules/for-another-platform": { version: "1.0.0" } },
    null,
  ],
  ["nothing", {}, "node_modules/a"],
  ["another version", { "node_modules/a": { ...a, version: "1.0.1" } }, "node_modules/a"],
  [
    "another content of the same version",
    { "node_modules/a": { ...a, integrity: "sha512-b" } },
    "node_modules/a",
  ],
  ["a package that is not locked", { "node_modules/a": a, "node_modules/b": a }, "node_modules/b"],
])("installed: %s", (_, installed, difference) => {
  expect(firstDifference(locked, installed)).toBe(difference);
});

test("the lock file has an entry for each optional package it names, as npm ci asks", () => {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const named = Object.entries<{ optionalDependencies?: Record<string, string> }>(packages).flatMap(
    ([path, entry]) => Object.keys(entry.optionalDependencies ?? {}).map((name) => ({ path, name })),
  );
  expect(named.length).toBeGreaterThan(0);
  const missing = named.filter(
    ({ path, name }) => !packages[`${path}/node_modules/${name}`] && !packages[`node_modules/${name}`],
  );
  expect(missing).toEqual([]);
});

test("the lock file says of each package, also of other platforms' ones, what its content is", () => {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const entries = Object.entries<{ integrity?: string; link?: boolean; inBundle?: boolean }>(packages);
  const fetched = entries.filter(([path, { link, inBundle }]) => {
    // What a package brings along is a part of its content.
    return path.includes("node_modules/") && !link && !inBundle;
  });
  expect(fetched.length).toBeGreaterThan(0);
  expect(fetched.filter(([, { integrity }]) => !integrity?.startsWith("sha512-"))).toEqual([]);
});

test("the lock file names no registry, so that any may serve the packages", () => {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const sources = Object.values<{ resolved?: string }>(packages).flatMap((entry) => entry.resolved ?? []);
  // Those of this repository.
  expect(sources).toEqual(["packages/refresh-conformance", "packages/wallet-session"]);
});
