import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
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

export type ExportTarget = string | { readonly [condition: string]: ExportTarget };

interface Manifest {
  version: string;
  bin: { "wallet-session": string };
  exports: Record<string, ExportTarget>;
  repository: unknown;
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
  const tarball = await pack(project);
  execFileSync("tar", ["-xzf", tarball], { cwd: project });

  const installed = installedAt(project);
  mkdirSync(dirname(installed));
  execFileSync("mv", [join(project, "package"), installed]);
  // No registry here: what the package depends on comes from this repository's own packages.
  const consumer = consumerAt(project);
  const { dependencies, peerDependencies } = consumer.manifest;
  for (const name of new Set([...Object.keys({ ...dependencies, ...peerDependencies }), ...also])) {
    const path = join(project, "node_modules", name);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(installedHere(name), path, "dir");
  }
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "consumer", type: "module" }));
  return consumer;
}

/** Makes one with these directories of `examples/`, and with the packages that they name. */
export async function createExamples(...names: string[]): Promise<Consumer> {
  const also = names.flatMap((name) => {
    const text = readFileSync(join(root, "examples", name, "package.json"), "utf8");
    const { dependencies, devDependencies } = JSON.parse(text);
    return Object.keys({ ...dependencies, ...devDependencies });
  });
  const consumer = await createConsumer(also.filter((name) => name !== "wallet-session"));
  for (const name of names) {
    cpSync(join(root, "examples", name), join(consumer.project, name), { recursive: true });
  }
  return consumer;
}

/**
 * Makes one with packages of its own, which npm installs: those of the lock file in `fixture`, a directory that is copied,
 * then the packed package with no option at all. Needs npm's registry, or its cache.
 */
export async function installConsumer(fixture: string): Promise<Consumer> {
  const project = mkdtempSync(join(tmpdir(), "consumer-"));
  cpSync(fixture, project, { recursive: true });
  runNpm(project, "ci", "--prefer-offline", "--no-audit", "--no-fund");
  runNpm(project, "install", `./${await pack(project)}`);
  return consumerAt(project);
}

/** Packs the package into a directory, and gives the name of the file. */
async function pack(directory: string): Promise<string> {
  // Packing builds in one place of this repository, and test files run side by side.
  await oneAtATime(async () =>
    runNpm(root, "pack", "--workspace", "wallet-session", "--pack-destination", directory),
  );
  const [tarball = ""] = globSync("*.tgz", { cwd: directory });
  return tarball;
}

function runNpm(cwd: string, ...words: string[]): void {
  const { command, args } = npm(...words);
  execFileSync(command, args, { cwd, stdio: "pipe" });
}

const installedAt = (project: string) => join(project, "node_modules", "wallet-session");

function consumerAt(project: string): Consumer {
  const installed = installedAt(project);
  const manifest: Manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
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
