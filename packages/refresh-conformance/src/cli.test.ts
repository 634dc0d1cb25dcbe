import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { main } from "./cli.ts";

const ADAPTER = join(import.meta.dirname, "small-server.fixture.ts");
const directory = mkdtempSync(join(tmpdir(), "refresh-conformance-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function type(...args: string[]) {
  const [out, notes]: [string[], string[]] = [[], []];
  const code = await main(args, { out: (line) => out.push(line), note: (line) => notes.push(line) });
  return { code, out: out.join("\n"), notes: notes.join("\n") };
}
const against = (fault: string, ...more: string[]) =>
  type("--url", `http://small.example/${fault}`, "--adapter", ADAPTER, "--rounds", "2", ...more);

test("a sound server ends with 0, and the table says what was tried", async () => {
  const { code, out } = await against("");
  expect(code).toBe(0);
  expect(out).toContain("a small server at http://small.example/");
  expect(out).toMatch(/^SCENARIO +RESULT +TRIED +WHAT HAPPENED$/m);
  expect(out).toMatch(/^two-tabs +holds +2 +both tabs were renewed, and the session went on$/m);
  expect(out).toMatch(/All that is claimed holds: 18 hold, 0 fail, 0 not claimed, 0 not tried\.$/);
});

test("a broken server ends with 1; the table, the JSON and the JUnit file say what and why", async () => {
  const [json, junit] = [join(directory, "results.json"), join(directory, "results.xml")];
  const { code, out } = await against(
    "two-tabs",
    "--only",
    "two-tabs,expired",
    "--json",
    json,
    "--junit",
    junit,
  );
  expect(code).toBe(1);
  expect(out).toMatch(/^two-tabs +FAILS +2 +2 of 2: one tab was answered 401 busy; the other goes on$/m);
  expect(out).toContain("It means: People with two tabs open are signed out at random.");
  expect(JSON.parse(readFileSync(json, "utf8"))).toMatchObject({
    server: "a small server",
    failed: true,
    results: [
      { name: "two-tabs", status: "fails", holds: false, tried: 2 },
      { name: "expired", status: "holds", holds: true, tried: 1 },
    ],
  });
  const xml = readFileSync(junit, "utf8");
  expect(xml).toContain('tests="2" failures="1" errors="0" skipped="0"');
  expect(xml).toMatch(
    /<testcase classname="refresh" name="two-tabs" time="[\d.]+"><failure message="2 of 2: /,
  );
});

test.each([
  [["--adapter", ADAPTER], "--url needs"],
  [["--url", "http://x"], "--adapter needs"],
  [["--url", "http://x", "--adapter", "nowhere.ts"], "--adapter needs"],
  [["--url", "http://x", "--adapter", ADAPTER, "--only", "luck"], 'no scenario "luck"'],
  [["--url", "http://x", "--adapter", ADAPTER, "--rounds", "0"], "--rounds needs"],
  [["--speed"], "Unknown option"],
])("%j makes no sense", async (args, why) => {
  const { code, notes } = await type(...args);
  expect([code, notes]).toEqual([2, expect.stringContaining(why)]);
});

test("the installed command lists what it plays", async () => {
  const bin = join(import.meta.dirname, "../bin/refresh-conformance.js");
  const { stdout } = await promisify(execFile)(process.execPath, [bin, "--list"]);
  expect(stdout).toContain("retry-at-once\n  A client whose answer was lost");
});
