// @ts-check
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { root } from "./root.mjs";

const LOCK_FILE = join(root, ".setup.lock");
const POLL_MS = 250;

/**
 * Lets one process of this machine at a time install or build here: `npm start` and `npm test` may well be typed into
 * two terminals at once. A lock whose owner is no longer alive is taken over.
 *
 * @template T
 * @param {() => Promise<T>} work
 * @param {string} [lockFile]
 * @returns {Promise<T>}
 */
export async function oneAtATime(work, lockFile = LOCK_FILE) {
  let waiting = false;
  while (!acquire(lockFile)) {
    if (!waiting) console.log("Waiting for another command that is installing or building here.");
    waiting = true;
    await delay(POLL_MS);
  }
  const release = () => rmSync(lockFile, { force: true });
  process.once("exit", release);
  try {
    return await work();
  } finally {
    process.off("exit", release);
    release();
  }
}

/**
 * @param {string} lockFile
 * @returns {boolean}
 */
function acquire(lockFile) {
  try {
    writeFileSync(lockFile, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    if (ownerIsAlive(lockFile)) return false;
    rmSync(lockFile, { force: true });
    return acquire(lockFile);
  }
}

/** @param {string} lockFile */
function ownerIsAlive(lockFile) {
  try {
    const owner = Number(readFileSync(lockFile, "utf8"));
    // An empty file is an owner between creating and writing.
    if (owner > 0) process.kill(owner, 0);
    return true;
  } catch (error) {
    // EPERM: alive, and someone else's.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
