import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { temporaryDirectory } from "../../test/temporary-directory.ts";
import { fileStorage } from "./file-storage.ts";

const newPath = temporaryDirectory();
const HOLDER = fileURLToPath(new URL("./lock-holder.fixture.ts", import.meta.url));

test("what was saved is there for the next program, for its owner alone; null removes it", async () => {
  const path = newPath("session.json");
  expect(await fileStorage(path).load()).toBeNull();
  await fileStorage(path).lock(async () => {
    await fileStorage(path).save("first");
    await fileStorage(path).save("second");
  });
  expect(await fileStorage(path).load()).toBe("second");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect((await readdir(dirname(path))).sort()).toEqual(["session.json", "session.json.lock"]);
  await fileStorage(path).save(null);
  expect(await fileStorage(path).load()).toBeNull();
});

test("tasks of one file take turns, whichever object asks", async () => {
  const path = newPath("turns.json");
  const order: string[] = [];
  const task = (name: string) => async () => {
    order.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    order.push(`${name} ends`);
  };
  const [one, other] = [fileStorage(path), fileStorage(path)];
  await Promise.all([one.lock(task("a")), other.lock(task("b")), one.lock(task("c"))]);
  for (let at = 0; at < order.length; at += 2) {
    expect(order[at + 1]).toBe(order[at]?.replace("begins", "ends"));
  }
  await expect(one.lock(async () => Promise.reject(new Error("mine")))).rejects.toThrow("mine");
  expect(await one.lock(async () => "free again")).toBe("free again");
});

test("another process waits for the holder, and no longer than it lives", async () => {
  const path = newPath("killed.json");
  const holder = await startHolder(path);
  let entered = false;
  const waiting = fileStorage(path).lock(async () => {
    entered = true;
  });
  // The holder answers, and holds the lock all the while.
  await ask(holder);
  expect(entered).toBe(false);
  holder.kill("SIGKILL");
  await waiting;
  expect(entered).toBe(true);
});

async function startHolder(path: string): Promise<ChildProcess> {
  const holder = spawn(process.execPath, [HOLDER, path], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void holder.kill("SIGKILL"));
  await lineOf(holder);
  return holder;
}

async function ask(holder: ChildProcess): Promise<void> {
  const answered = lineOf(holder);
  holder.stdin?.write("?\n");
  await answered;
}

async function lineOf({ stdout }: ChildProcess): Promise<void> {
  if (stdout === null) throw new Error("The process has no output.");
  const lines = createInterface(stdout);
  await once(lines, "line");
  lines.close();
}
