// @ts-check
import { join } from "node:path";
import { root } from "./root.mjs";

/** @typedef {import("./child.mjs").Command} Command */

/**
 * A command of Next's, on the Node that runs this script.
 *
 * @param {string} name
 * @param {string[]} args
 * @returns {Command & { env: NodeJS.ProcessEnv }}
 */
export function next(name, ...args) {
  return {
    command: process.execPath,
    args: [join(root, "node_modules", "next", "dist", "bin", "next"), name, ...args],
    cwd: root,
    // The operator's NODE_ENV says how the server guards itself, not what Next builds.
    env: { ...process.env, NODE_ENV: name === "dev" ? "development" : "production" },
  };
}
