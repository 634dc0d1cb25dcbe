// @ts-check
import { basename } from "node:path";

/**
 * A command of npm's: the npm that started this process, on the Node it runs on itself, or else the one in the PATH.
 *
 * @param {string[]} args
 * @returns {import("./child.mjs").Command}
 */
export function npm(...args) {
  const { npm_execpath: cli, npm_node_execpath: node } = process.env;
  if (cli && node && basename(cli) === "npm-cli.js") return { command: node, args: [cli, ...args] };
  return { command: process.platform === "win32" ? "npm.cmd" : "npm", args };
}
