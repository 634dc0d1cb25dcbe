// npm run check [-- NAME…]: runs the scripts `check:NAME` of package.json, all of them where none is named. Each runs even
// where another fails. The output of one is shown if it fails.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { npm, runQuietly } from "./setup/child.mjs";
import { root } from "./setup/root.mjs";

/**
 * These run after the others, which run side by side, and one after the other: the verifiers of the model take all cores, and
 * the build writes files that the check of the types reads.
 */
const ALONE = ["model", "build"];
/** Print what is worth reading even where the check holds: what the package costs, and whether the model was checked. */
const TELLING = ["package", "model"];

const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const known = Object.keys(scripts).flatMap((name) => (name.startsWith("check:") ? [name.slice(6)] : []));
const named = process.argv.slice(2);
const unknown = named.find((name) => !known.includes(name));
if (unknown !== undefined) {
  console.error(`No check is called "${unknown}". The checks are ${known.join(", ")}.`);
  process.exit(2);
}

const started = Date.now();
const failed: string[] = [];
const wanted = named.length > 0 ? named : known;
await Promise.all(wanted.filter((name) => !ALONE.includes(name)).map(check));
for (const name of ALONE) if (wanted.includes(name)) await check(name);
console.log(`The checks took ${secondsSince(started)} s in all.`);
if (failed.length > 0) {
  console.error(`Failed: ${failed.join(", ")}. To run one alone: npm run check -- ${failed[0]}`);
  process.exit(1);
}

async function check(name: string): Promise<void> {
  const began = Date.now();
  const { code, output } = await runQuietly({ ...npm("run", "--silent", `check:${name}`), cwd: root });
  console.log(`${code === 0 ? "ok    " : "FAILED"} ${name} (${secondsSince(began)} s)`);
  if (code !== 0) failed.push(name);
  if (code !== 0 || TELLING.includes(name)) process.stdout.write(output);
}

function secondsSince(time: number): string {
  return ((Date.now() - time) / 1_000).toFixed(1);
}
