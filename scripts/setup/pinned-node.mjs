// @ts-check
import { realpathSync } from "node:fs";
import { join } from "node:path";
import { runInForeground } from "./child.mjs";
import { root } from "./root.mjs";

/** The Node that the `node` package brings: the version in package.json, whatever the machine's own is. */
export const pinnedNode = join(
  root,
  "node_modules",
  "node",
  "bin",
  process.platform === "win32" ? "node.exe" : "node",
);

/**
 * Goes on under the pinned Node. Where this process runs on another one, the same script is run again on the pinned
 * one and this process ends with its exit code.
 */
export async function continueUnderPinnedNode() {
  if (realpathSync(process.execPath) === realpathSync(pinnedNode)) return;
  process.exit(await runInForeground({ command: pinnedNode, args: process.argv.slice(1) }));
}
