import { join } from "node:path";
import type { Command } from "./child.mjs";
import { root } from "./root.mjs";

/** A command of Next's, on the Node that runs this script. */
export function next(name: string, ...args: string[]): Command & { env: NodeJS.ProcessEnv } {
  return {
    command: process.execPath,
    args: [join(root, "node_modules", "next", "dist", "bin", "next"), name, ...args],
    cwd: root,
    // The operator's NODE_ENV says how the server guards itself, not what Next builds.
    env: { ...process.env, NODE_ENV: name === "dev" ? "development" : "production" },
  };
}
