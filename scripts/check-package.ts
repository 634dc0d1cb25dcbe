// npm run check -- package: packs the package as it would be published, installs that in a project of its own, and checks
// its shape, its types in that project, and what it costs there.
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Command, npm, runQuietly } from "./setup/child.mjs";
import { oneAtATime } from "./setup/one-at-a-time.mjs";
import { root } from "./setup/root.mjs";

/** For the package with all that it needs, its Stellar wallet among it. */
const MOST_MEGABYTES = 25;
const MOST_PACKAGES = 35;
/** What a project brings itself, here from this repository: what the package leaves to it, and their types. */
const BROUGHT = [
  "@types/node",
  "@types/pg",
  "@types/react",
  "@redis/client",
  "next",
  "pg",
  "prom-client",
  "react",
];
const RESOLUTIONS = [
  { module: "nodenext", moduleResolution: "nodenext" },
  { module: "esnext", moduleResolution: "bundler" },
];

const project = fs.mkdtempSync(join(tmpdir(), "check-package-"));
try {
  await check(project);
} finally {
  fs.rmSync(project, { recursive: true, force: true });
}

async function check(project: string): Promise<void> {
  const pack = npm("pack", "--workspace", "wallet-session", "--pack-destination", project);
  // It builds in packages/wallet-session, as some tests do.
  await oneAtATime(() => run({ ...pack, cwd: root }));
  const [tarball = ""] = fs.readdirSync(project);
  await run(tool("publint", "run", "--strict", join(project, tarball)));
  await run(tool("attw", "--profile", "esm-only", join(project, tarball)));

  fs.writeFileSync(join(project, "package.json"), JSON.stringify({ name: "consumer", type: "module" }));
  const quiet = ["--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"];
  await run({ ...npm("install", ...quiet, `./${tarball}`), cwd: project });
  checkCost(project);
  await checkTypes(project);
}

/** What a project pays for the package with all that it needs. */
function checkCost(project: string): void {
  const modules = join(project, "node_modules");
  const { packages } = JSON.parse(fs.readFileSync(join(modules, ".package-lock.json"), "utf8"));
  const count = Object.keys(packages).length;
  const megabytes = bytesIn(modules) / 1e6;
  console.log(`Installed: ${megabytes.toFixed(1)} MB in ${count} packages.`);
  if (megabytes > MOST_MEGABYTES || count > MOST_PACKAGES) {
    fail(`More than ${MOST_MEGABYTES} MB or ${MOST_PACKAGES} packages: ${Object.keys(packages).join(", ")}`);
  }
}

/** Every entry, with all declarations that it reaches, must hold for TypeScript. */
async function checkTypes(project: string): Promise<void> {
  for (const name of BROUGHT) {
    const path = join(project, "node_modules", name);
    fs.mkdirSync(dirname(path), { recursive: true });
    fs.symlinkSync(join(root, "node_modules", name), path, "dir");
  }
  const manifest = JSON.parse(
    fs.readFileSync(join(project, "node_modules/wallet-session/package.json"), "utf8"),
  );
  const entries = Object.keys(manifest.exports).filter((path) => path !== "./package.json");
  const source = [
    ...entries.map(
      (path, index) => `import * as part${index} from "${path.replace(/^\./, "wallet-session")}";`,
    ),
    'import type { SessionStore } from "wallet-session";',
    'import { createMemoryStore } from "wallet-session/stores/memory";',
    "export const store: SessionStore = createMemoryStore();",
    `export const parts: object[] = [${entries.map((_, index) => `part${index}`).join(", ")}];`,
    "// @ts-expect-error: a store is not a string, so its type is not `any` either",
    "export const wrong: string = store;",
  ];
  fs.writeFileSync(join(project, "consumer.ts"), source.join("\n"));
  for (const resolution of RESOLUTIONS) {
    const compilerOptions = {
      ...resolution,
      target: "es2024",
      strict: true,
      skipLibCheck: false,
      noEmit: true,
      types: ["node"],
    };
    fs.writeFileSync(
      join(project, "tsconfig.json"),
      JSON.stringify({ compilerOptions, files: ["consumer.ts"] }),
    );
    await run(tool("tsc", "-p", project));
    console.log(`Types of ${entries.length} entries hold, moduleResolution ${resolution.moduleResolution}.`);
  }
}

function bytesIn(directory: string): number {
  const files = fs
    .readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile());
  return files.reduce((sum, file) => sum + fs.statSync(join(file.parentPath, file.name)).size, 0);
}

/** A tool of this repository's own packages. */
function tool(name: string, ...args: string[]): Command {
  return { command: join(root, "node_modules", ".bin", name), args, cwd: root };
}

/** Runs a command; where it fails, shows what it printed and ends this process. */
async function run(command: Command): Promise<void> {
  const { code, output } = await runQuietly(command);
  if (code !== 0) fail(`${output}\nFailed: ${command.command} ${command.args.join(" ")}`);
}

function fail(why: string): never {
  console.error(why);
  fs.rmSync(project, { recursive: true, force: true });
  process.exit(1);
}
