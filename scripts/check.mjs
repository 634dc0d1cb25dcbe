// @ts-check
// npm run check [-- NAME…]: runs the scripts `check:NAME` of package.json, all of them where none is named. Each runs even
// where an earlier one has failed, and shows its output only if it fails.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runQuietly } from "./setup/child.mjs";
import { npm } from "./setup/npm.mjs";
import { prepare } from "./setup/prepare.mjs";
import { root } from "./setup/root.mjs";

await prepare();

const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const known = Object.keys(scripts).flatMap((name) => (name.startsWith("check:") ? [name.slice(6)] : []));
const named = process.argv.slice(2);
const unknown = named.find((name) => !known.includes(name));
if (unknown !== undefined) {
  console.error(`No check is called "${unknown}". The checks are ${known.join(", ")}.`);
  process.exit(2);
}

/** @type {string[]} */
const failed = [];
for (const name of named.length > 0 ? named : known) {
  const started = Date.now();
  const { code, output } = await runQuietly({ ...npm("run", "--silent", `check:${name}`), cwd: root });
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  if (code !== 0) {
    process.stderr.write(output);
    failed.push(name);
  }
  console.log(`${code === 0 ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
}
if (failed.length > 0) {
  console.error(`Failed: ${failed.join(", ")}. To run one alone: npm run check -- ${failed[0]}`);
  process.exit(1);
}
