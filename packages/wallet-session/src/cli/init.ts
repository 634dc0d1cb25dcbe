import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeAuthSecret } from "../config/made-secrets.ts";
import { DATABASE_URL_DEFAULT } from "../databases/url.ts";
import { randomSeed } from "../wallets/stellar/ed25519.ts";
import { CommandError, EXIT, type ExitCode, type Invocation, UsageError } from "./command.ts";

/** By framework, what its files import. Each has a directory of the same name in `templates/`. */
export const FRAMEWORKS: Readonly<Record<string, readonly string[]>> = {
  next: ["next", "react", "react-dom", "@stellar/freighter-api"],
  express: ["express"],
  fastify: ["fastify", "@fastify/middie"],
  hono: ["hono", "@hono/node-server"],
};

const TEMPLATES = fileURLToPath(new URL("../../templates/", import.meta.url));

/** `init`: prints settings that a server starts with, and writes what mounts it. @throws UsageError, CommandError */
export async function init({ terminal, options: { framework } }: Invocation): Promise<ExitCode> {
  if (typeof framework === "string") {
    const packages = Object.hasOwn(FRAMEWORKS, framework) ? FRAMEWORKS[framework] : undefined;
    if (packages === undefined) {
      throw new UsageError(`--framework takes one of these: ${Object.keys(FRAMEWORKS).join(", ")}.`);
    }
    for (const path of writeTemplate(framework)) terminal.note(`Wrote ${path}`);
    terminal.note(`They need: npm install wallet-session ${packages.join(" ")}`);
  }
  terminal.out(settings());
  return EXIT.ok;
}

function settings(): string {
  return `# Settings of wallet-session (docs/configuration.md). Keep them secret, and out of version control.
AUTH_SECRET=${makeAuthSecret()}
STELLAR_SIGNING_SEED=${randomSeed(randomBytes)}
# Where browsers reach the service. In production by https.
PUBLIC_URL=http://localhost:3000
DATABASE_URL=${DATABASE_URL_DEFAULT}
# A Horizon server knows the signers of an account. none: an account signs in by its master key alone.
HORIZON_URL=none`;
}

/** Writes all files of a template, or none: no file that is there is changed. Returns their paths. */
function writeTemplate(framework: string): string[] {
  const template = join(TEMPLATES, framework);
  // Next takes one of two directories.
  const base = framework === "next" && fs.existsSync("src/app") ? "src" : "";
  const files = fs
    .readdirSync(template, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(template.length + 1))
    .map((path) => ({ source: join(template, path), target: join(base, path) }));
  const taken = files.filter(({ target }) => fs.lstatSync(target, { throwIfNoEntry: false }) !== undefined);
  if (taken.length > 0) {
    const paths = taken.map(({ target }) => target).join(", ");
    throw new CommandError(`Nothing was written: there is ${paths} already.`);
  }
  const made: string[] = [];
  try {
    for (const { source, target } of files) {
      const directory = fs.mkdirSync(dirname(target), { recursive: true });
      if (directory !== undefined) made.push(directory);
      fs.copyFileSync(source, target, fs.constants.COPYFILE_EXCL);
      made.push(target);
    }
  } catch (error) {
    for (const path of made) fs.rmSync(path, { recursive: true, force: true });
    throw error;
  }
  return files.map(({ target }) => target);
}
