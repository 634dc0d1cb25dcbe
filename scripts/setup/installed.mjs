// @ts-check
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { delimiter, join, sep } from "node:path";
import { npm, runInForeground, runQuietly } from "./child.mjs";
import { oneAtATime } from "./one-at-a-time.mjs";
import { root } from "./root.mjs";

/** @typedef {{ version?: string, integrity?: string, optional?: boolean, link?: boolean }} LockedPackage */
/** @typedef {Record<string, LockedPackage>} LockedPackages by their path under the root */

/** The Node that the `node` package brings: the version in package.json, whatever the machine's own is. */
const pinnedNode = join(root, "node_modules/node/bin", process.platform === "win32" ? "node.exe" : "node");

/** Installs the packages that package-lock.json names, unless exactly these are installed already. */
export async function ensureInstalled() {
  if (whyInstall() === null) return;
  await oneAtATime(async () => {
    // Another command may have installed while this one waited.
    const why = whyInstall();
    if (why !== null) await install(why);
  });
}

function whyInstall() {
  // npm writes this file last, when all packages are in place and their install scripts have run.
  const record = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(record)) return "they are not installed yet";
  if (!existsSync(pinnedNode)) return "the project's own Node is missing";
  const difference = firstDifference(lockedPackages(join(root, "package-lock.json")), lockedPackages(record));
  return difference && `package-lock.json has changed (${difference})`;
}

/**
 * @param {string} path
 * @returns {LockedPackages}
 */
function lockedPackages(path) {
  return JSON.parse(readFileSync(path, "utf8")).packages;
}

/**
 * The path of a package that is not installed as locked, or is installed and not locked; null when there is none.
 * Optional packages may be missing: most are for other platforms.
 *
 * @param {LockedPackages} locked
 * @param {LockedPackages} installed
 */
export function firstDifference(locked, installed) {
  for (const [path, wanted] of Object.entries(locked)) {
    const found = installed[path];
    if (path === "" || (!found && wanted.optional)) continue;
    if (!found || found.version !== wanted.version) return path;
    // A lock entry made for a platform that is not this one may lack its hash.
    if (wanted.integrity && found.integrity !== wanted.integrity) return path;
  }
  return Object.keys(installed).find((path) => !locked[path]) ?? null;
}

/** @param {string} why */
async function install(why) {
  console.log(`Installing packages: ${why}. This takes about a minute.`);
  const started = Date.now();
  // Development packages too, whatever NODE_ENV says: the pinned Node and the build's tools are among them.
  const { code, output } = await runQuietly({
    ...npm("ci", "--include=dev"),
    cwd: root,
    env: outsideEnvironment(),
  });
  if (code !== 0) {
    process.stderr.write(output);
    console.error("npm ci failed; its output is above.");
    process.exit(code);
  }
  console.log(`Installed in ${Math.round((Date.now() - started) / 1000)} s.`);
}

/** Without node_modules/.bin in the PATH: npm put it there, and the install takes the Node in it away. */
function outsideEnvironment() {
  const path = (process.env.PATH ?? "").split(delimiter);
  const ours = join(root, "node_modules") + sep;
  return { ...process.env, PATH: path.filter((entry) => !entry.startsWith(ours)).join(delimiter) };
}

/**
 * Goes on under the pinned Node. Where this process runs on another one, the same script is run again on the pinned
 * one and this process ends with its exit code.
 */
export async function continueUnderPinnedNode() {
  if (realpathSync(process.execPath) === realpathSync(pinnedNode)) return;
  process.exit(await runInForeground({ command: pinnedNode, args: process.argv.slice(1) }));
}
