// npm run check -- package: packs the package as it is published, twice, installs that in a project of its own, and checks
// its bytes, its shape, its types in that project, and what it costs there. With the name of a directory it leaves there
// what a release needs: the tarball and its bill of materials.
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
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
/** What packing reads of this repository. */
const PACKED_FROM = ["docs", "packages", "scripts", "package.json", "tsconfig.base.json"];
const QUIET = ["--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"];
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
  // It builds in packages/wallet-session, as some tests do.
  const tarball = await oneAtATime(() => pack(root, project));
  await checkSameBytes(project, tarball);
  await run(tool("publint", "run", "--strict", join(project, tarball)));
  await run(
    tool(
      "attw",
      "--profile",
      "node16",
      join(project, tarball),
      "--exclude-entrypoints",
      "internal/databases",
    ),
  );

  fs.writeFileSync(join(project, "package.json"), JSON.stringify({ name: "consumer", type: "module" }));
  await run({ ...npm("install", ...QUIET, `./${tarball}`), cwd: project });
  checkCost(project);
  const bill = await billOfMaterials(project);
  await checkTypes(project);
  await checkSuite(join(project, "suite"));

  const [kept] = process.argv.slice(2);
  if (kept === undefined) return;
  fs.mkdirSync(kept, { recursive: true });
  fs.copyFileSync(join(project, tarball), join(kept, tarball));
  fs.writeFileSync(join(kept, tarball.replace(/tgz$/, "cdx.json")), bill);
}

/** The other package that is published, which depends on nothing. */
async function checkSuite(directory: string): Promise<void> {
  fs.mkdirSync(directory);
  const tarball = await pack(root, directory, "refresh-conformance");
  await run(tool("publint", "run", "--strict", join(directory, tarball)));
}

/** The name of the tarball that is then in `into`. */
async function pack(from: string, into: string, name = "wallet-session"): Promise<string> {
  await run({ ...npm("pack", "--workspace", name, "--pack-destination", into), cwd: from });
  return fs.readdirSync(into).find((name) => name.endsWith(".tgz")) ?? fail("npm pack wrote nothing.");
}

/** Packs it in another directory, without what was built here: everybody must get the same bytes of the same sources. */
async function checkSameBytes(project: string, tarball: string): Promise<void> {
  const copy = join(project, "another place");
  for (const name of PACKED_FROM) {
    fs.cpSync(join(root, name), join(copy, name), {
      recursive: true,
      filter: (path) => !["dist", "node_modules"].includes(basename(path)),
    });
  }
  for (const modules of ["node_modules", "packages/wallet-session/node_modules"]) {
    if (fs.existsSync(join(root, modules))) fs.symlinkSync(join(root, modules), join(copy, modules), "dir");
  }
  const again = join(copy, await pack(copy, copy));
  const [here, there] = [join(project, tarball), again].map((path) =>
    createHash("sha256").update(fs.readFileSync(path)).digest("hex"),
  );
  fs.rmSync(copy, { recursive: true });
  if (here !== there) fail(`Another directory gives other bytes: ${here} here, ${there} there.`);
  console.log(`Packed twice, in two directories: sha256 ${here}`);
}

/** In CycloneDX's form, of what npm installs with the package. */
async function billOfMaterials(project: string): Promise<string> {
  const home = join(project, "alone");
  fs.cpSync(join(project, "node_modules", "wallet-session"), home, { recursive: true });
  await run({ ...npm("install", ...QUIET, "--package-lock-only", "--omit=dev"), cwd: home });
  const form = ["--package-lock-only", "--sbom-format=cyclonedx", "--sbom-type=library"];
  const bill = await run({ ...npm("sbom", ...form), cwd: home });
  fs.rmSync(home, { recursive: true });
  const names = JSON.parse(bill).components.map(({ name }: { name: string }) => name);
  const needed = installed(project).filter((name) => name !== "wallet-session");
  if (names.sort().join() !== needed.sort().join())
    fail(`The bill of materials names ${names}, not ${needed}.`);
  return bill;
}

/** The names of all packages in the project. */
function installed(project: string): string[] {
  const lock = JSON.parse(fs.readFileSync(join(project, "node_modules/.package-lock.json"), "utf8"));
  return Object.keys(lock.packages).map((path) => path.replace(/^.*node_modules\//, ""));
}

/** What a project pays for the package with all that it needs. */
function checkCost(project: string): void {
  const packages = installed(project);
  const megabytes = bytesIn(join(project, "node_modules")) / 1e6;
  console.log(`Installed: ${megabytes.toFixed(1)} MB in ${packages.length} packages.`);
  if (megabytes > MOST_MEGABYTES || packages.length > MOST_PACKAGES) {
    fail(`More than ${MOST_MEGABYTES} MB or ${MOST_PACKAGES} packages: ${packages.join(", ")}`);
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

/** Runs a command and returns what it printed; where it fails, shows that and ends this process. */
async function run(command: Command): Promise<string> {
  const { code, output } = await runQuietly(command);
  return code === 0 ? output : fail(`${output}\nFailed: ${command.command} ${command.args.join(" ")}`);
}

function fail(why: string): never {
  console.error(why);
  fs.rmSync(project, { recursive: true, force: true });
  process.exit(1);
}
