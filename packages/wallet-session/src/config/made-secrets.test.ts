import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { expect, onTestFinished, test } from "vitest";
import { madeSecrets, makeAuthSecret } from "./made-secrets.ts";

const NAMES = Array.from({ length: 100 }, (_, index) => `secret-${index}`);

/** Reads each file again and again until it is there, and reports the texts that it read first. */
const WATCHER = `
  const { readFileSync } = require("node:fs");
  const { parentPort, workerData: { paths, until } } = require("node:worker_threads");
  const first = (path) => {
    while (Date.now() < until) try { return readFileSync(path, "utf8") } catch {}
  };
  parentPort.postMessage("watching");
  parentPort.postMessage(paths.map(first));
`;

function openDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "wallet-session-secrets-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

function nextMessage(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
}

test("a process that starts at the same moment reads a whole secret or none", async () => {
  const directory = openDirectory();
  const paths = NAMES.map((name) => join(directory, name));
  const watcher = new Worker(WATCHER, { eval: true, workerData: { paths, until: Date.now() + 20_000 } });
  await nextMessage(watcher);
  const read = nextMessage(watcher);
  const made = NAMES.map((name) => madeSecrets(directory).read(name, makeAuthSecret));
  expect(await read).toEqual(made.map((secret) => `${secret}\n`));
});

test("of two that make the same secret one is kept, and both have it", () => {
  const directory = openDirectory();
  let others = "";
  const mine = madeSecrets(directory).read("secret", () => {
    others = madeSecrets(directory).read("secret", makeAuthSecret);
    return makeAuthSecret();
  });
  expect(mine).toBe(others);
  expect(readdirSync(directory)).toEqual(["secret"]);
});
