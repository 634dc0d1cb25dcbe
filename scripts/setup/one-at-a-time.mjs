// @ts-check
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { root } from "./root.mjs";

const LOCK = join(root, ".setup.lock");
const POLL_MS = 250;

/**
 * Lets one process of this machine at a time install or build here: `npm start` and `npm test` may well be typed into
 * two terminals at once. A lock whose owner is no longer alive is taken over.
 *
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function oneAtATime(work) {
  let waiting = false;
  while (!acquire()) {
    if (!waiting) console.log("Waiting for another command that is installing or building here.");
    waiting = true;
    await delay(POLL_MS);
  }
  const release = () => rmSync(LOCK, { force: true });
  process.once("exit", release);
  try {
    return await work();
  } finally {
    process.off("exit", release);
    release();
  }
}

function acquire() {
  try {
    writeFileSync(LOCK, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    if (!ownerIsAlive()) rmSync(LOCK, { force: true });
    return false;
  }
}

function ownerIsAlive() {
  try {
    const owner = Number(readFileSync(LOCK, "utf8"));
    // An empty file is an owner between creating and writing.
    if (owner > 0) process.kill(owner, 0);
    return true;
  } catch (error) {
    // EPERM: alive, and someone else's.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
