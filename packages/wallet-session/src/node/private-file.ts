import { open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { codeOf } from "../foreign-errors.ts";

/** Null where there is none. */
export async function readPrivateFile(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

/** For its owner alone (mode 0600), all at once, and on disk when it resolves. Null removes it. Its callers take turns. */
export async function writePrivateFile(file: string, text: string | null): Promise<void> {
  if (text === null) await rm(file, { force: true });
  else await replace(file, text);
  await syncToDisk(dirname(file));
}

async function replace(file: string, text: string): Promise<void> {
  // One name is enough: the saver has its turn.
  const next = `${file}.next`;
  await rm(next, { force: true });
  const handle = await open(next, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(next, file);
}

/** A name is there to stay once its directory is on disk. */
async function syncToDisk(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
