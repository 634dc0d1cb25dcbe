import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

// What cannot change the built app. Everything else counts, so that a directory added later does too: a build too
// many costs seconds, a stale one an afternoon.
const OTHER_DIRECTORIES = new Set([
  "bench",
  "coverage",
  "data",
  "docs",
  "examples",
  "node_modules",
  "scripts",
  "test",
]);
const OTHER_FILES = new Set(["biome.json", "knip.json", "next-env.d.ts", "vitest.config.ts"]);
const SOURCE_AT_ROOT = /^\.env|\.(?:[cm]?[jt]s|json)$/;
/** What packing writes into the package comes while the tests run. */
const NOT_SOURCES = /\/(?:dist|node_modules|templates)$|^packages\/[^/]+\/docs$/;
const TEST = /\.(?:test|fixture)\.tsx?$/;

/** A hash over the contents of all files of the repository that go into the built app. */
export function fingerprintOfAppInputs(directory: string): string {
  const hash = createHash("sha256");
  for (const path of appInputs(directory).sort()) {
    const content = readFileSync(join(directory, path));
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

function appInputs(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) {
      const counts = !entry.name.startsWith(".") && !OTHER_DIRECTORIES.has(entry.name);
      return counts ? filesUnder(directory, entry.name) : [];
    }
    return SOURCE_AT_ROOT.test(entry.name) && !OTHER_FILES.has(entry.name) ? [entry.name] : [];
  });
}

function filesUnder(directory: string, path: string): string[] {
  return readdirSync(join(directory, path), { withFileTypes: true }).flatMap((entry) => {
    const below = `${path}/${entry.name}`;
    if (entry.isDirectory()) return NOT_SOURCES.test(below) ? [] : filesUnder(directory, below);
    return entry.isFile() && !TEST.test(entry.name) ? [below] : [];
  });
}
