import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { npm } from "../../scripts/setup/child.mjs";
import { oneAtATime } from "../../scripts/setup/one-at-a-time.mjs";
import { root } from "../../scripts/setup/root.mjs";

/** Packing builds the package, and the files that need it packed take turns. Only stops what hangs. */
export const PACKED_WITHIN_MS = 600_000;

interface Manifest {
  version: string;
  bin: { "wallet-session": string };
  exports: Record<string, string | { types: string; default: string }>;
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
}

/** A project that is not ours and has the package as its users get it: packed, then unpacked into its node_modules. */
export interface Consumer {
  /** Its directory. */
  readonly project: string;
  /** Where the package lies in it. */
  readonly installed: string;
  readonly manifest: Manifest;
  /** The package's entries, by the names that they are imported by. */
  readonly entries: readonly string[];
  remove(): void;
}

/** Makes one in the system's directory for temporary files. `also`: what its own code needs besides the package. */
export async function createConsumer(also: readonly string[]): Promise<Consumer> {
  const project = mkdtempSync(join(tmpdir(), "consumer-"));
  const { command, args } = npm("pack", "--workspace", "wallet-session", "--pack-destination", project);
  // Packing builds in one place of this repository, and test files run side by side.
  await oneAtATime(async () => execFileSync(command, args, { cwd: root, stdio: "pipe" }));
  const [tarball = ""] = readdirSync(project);
  execFileSync("tar", ["-xzf", tarball], { cwd: project });

  const installed = join(project, "node_modules", "wallet-session");
  mkdirSync(dirname(installed));
  execFileSync("mv", [join(project, "package"), installed]);
  const manifest: Manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  // No registry here: what the package depends on comes from this repository's own packages.
  const { dependencies, peerDependencies } = manifest;
  for (const name of new Set([...Object.keys({ ...dependencies, ...peerDependencies }), ...also])) {
    const path = join(project, "node_modules", name);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(installedHere(name), path, "dir");
  }
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "consumer", type: "module" }));
  return {
    project,
    installed,
    manifest,
    entries: Object.keys(manifest.exports)
      .filter((path) => path !== "./package.json")
      .map((path) => path.replace(/^\./, "wallet-session")),
    remove: () => rmSync(project, { recursive: true, force: true }),
  };
}

/** Where npm put it: with the package where its version is another than the root's, or else at the root. */
function installedHere(name: string): string {
  const own = join(root, "packages", "wallet-session", "node_modules", name);
  return existsSync(own) ? own : join(root, "node_modules", name);
}
