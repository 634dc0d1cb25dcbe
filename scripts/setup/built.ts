import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fingerprintOfAppInputs } from "./app-inputs.ts";
import { runQuietly } from "./child.mjs";
import { next } from "./next.ts";
import { oneAtATime } from "./one-at-a-time.mjs";
import { root } from "./root.mjs";

// Inside .next, so that deleting the build deletes the claim about it.
const STAMP = join(root, ".next", "built-from");

/** Builds the app, unless what stands in .next was built from exactly these sources. */
export async function ensureBuilt(): Promise<void> {
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

function stamp(): string | null {
  try {
    return readFileSync(STAMP, "utf8");
  } catch {
    return null;
  }
}

async function build(why: string): Promise<void> {
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
