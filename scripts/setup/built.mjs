// @ts-check
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fingerprintOfAppInputs } from "./app-inputs.mjs";
import { runQuietly } from "./child.mjs";
import { next } from "./next.mjs";
import { oneAtATime } from "./one-at-a-time.mjs";
import { root } from "./root.mjs";

// Inside .next, so that deleting the build deletes the claim about it.
const STAMP = join(root, ".next", "built-from");

/** Builds the app, unless what stands in .next was built from exactly these sources. */
export async function ensureBuilt() {
  if (stamp() === fingerprintOfAppInputs(root)) return;
  await oneAtATime(async () => {
    const before = stamp();
    const fingerprint = fingerprintOfAppInputs(root);
    if (before === fingerprint) return;
    await build(before === null ? "it is not built yet" : "its sources have changed");
    // What was hashed before the build: a file edited while it ran makes the build stale, as it should.
    writeFileSync(STAMP, fingerprint);
  });
}

function stamp() {
  try {
    return readFileSync(STAMP, "utf8");
  } catch {
    return null;
  }
}

/** @param {string} why */
async function build(why) {
  console.log(`Building the app: ${why}.`);
  const started = Date.now();
  rmSync(STAMP, { force: true });
  const { code, output } = await runQuietly(next("build"));
  if (code !== 0) {
    process.stderr.write(output);
    console.error("next build failed; its output is above.");
    process.exit(code);
  }
  console.log(`Built in ${Math.round((Date.now() - started) / 1000)} s.`);
}
