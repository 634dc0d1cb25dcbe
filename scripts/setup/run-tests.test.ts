import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const runTests = pathToFileURL(join(import.meta.dirname, "run-tests.ts")).href;
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "run-tests-"));
  writeFileSync(join(directory, "vitest.config.mjs"), "export default { test: { globals: true } };");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Runs these test files as `npm test` does, and gives the last line and the exit code. */
function run(files: Record<string, string>, ...args: string[]) {
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
  const script = `const { runTests } = await import(${JSON.stringify(runTests)});
    process.exit(await runTests(process.argv.slice(1)));`;
  const { stdout, status } = spawnSync(
    process.execPath,
    ["--input-type=module", "--eval", script, "--", "--root", directory, ...args],
    { encoding: "utf8", cwd: directory, env: { PATH: process.env.PATH ?? "", NODE_ENV: "test" } },
  );
  return { last: stdout.trimEnd().split("\n").at(-1), code: status };
}

const PASSING = { "a.test.js": "test('one', () => {}); test('two', () => {});" };

test("says how many passed, failed and were skipped in its last line", () => {
  const others = {
    "b.test.js": "test('three', () => { throw new Error('no'); });",
    "c.test.js": "test.skip('four', () => {});",
  };
  expect(run({ ...PASSING, ...others })).toEqual({ last: "2 passed, 1 failed, 1 skipped", code: 1 });
  expect(run({}, "a.test.js")).toEqual({ last: "2 passed, 0 failed", code: 0 });
});

test("a run without a test fails", () => {
  expect(run({}).code).toBe(1);
  expect(run(PASSING, "-t", "another name")).toEqual({ last: "0 passed, 0 failed, 2 skipped", code: 1 });
});

test("what fails outside any test counts as a failure", () => {
  const failing = {
    "not-loaded.test.js": "import './missing.js'; test('one', () => {});",
    "stray-rejection.test.js": "test('one', () => { Promise.reject(new Error('stray')); });",
    "hook-after-the-tests.test.js":
      "describe('all', () => { afterAll(() => { throw new Error('no'); }); test('one', () => {}); });",
  };
  expect(run(failing)).toEqual({ last: "2 passed, 3 failed", code: 1 });
});
