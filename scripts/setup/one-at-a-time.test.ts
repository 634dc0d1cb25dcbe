import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { oneAtATime } from "./one-at-a-time.mjs";

let directory: string;
let lockFile: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "one-at-a-time-"));
  lockFile = join(directory, "lock");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test("the second begins when the first has ended, even where that failed", async () => {
  const order: string[] = [];
  const said = vi.spyOn(console, "log").mockImplementation(() => {});
  let fail = (_: Error) => {};
  const first = oneAtATime(async () => {
    order.push("first begins");
    await new Promise((_, reject) => {
      fail = reject;
    });
  }, lockFile);
  const second = oneAtATime(async () => {
    order.push("second begins");
  }, lockFile);
  order.push("first fails");
  fail(new Error("no network"));
  await expect(first).rejects.toThrow("no network");
  await second;
  expect(order).toEqual(["first begins", "first fails", "second begins"]);
  expect(existsSync(lockFile)).toBe(false);
  expect(said.mock.calls).toEqual([["Waiting for another command that is installing or building here."]]);
  said.mockRestore();
});

test("a lock left behind by a process that has died is taken over", async () => {
  const { pid } = spawnSync(process.execPath, ["--version"]);
  writeFileSync(lockFile, String(pid));
  expect(await oneAtATime(async () => "done", lockFile)).toBe("done");
});
