import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { CommandError, EXIT, type ExitCode, type Invocation, UsageError } from "./command.ts";

const PACKAGE = "refresh-conformance";

/** `conform`: runs the command of another package, which is no dependency of this one, with the same options. */
export async function conform({ terminal, options }: Invocation): Promise<ExitCode> {
  const args = Object.entries(options).flatMap(([name, value]) =>
    name === "env-file" || typeof value !== "string" ? [] : [`--${name}`, value],
  );
  const child = spawn(process.execPath, [commandOf(PACKAGE), ...args], {
    env: { ...process.env, ...terminal.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  createInterface(child.stdout).on("line", terminal.out);
  createInterface(child.stderr).on("line", terminal.note);
  const [code] = await once(child, "close");
  if (code === EXIT.usage) throw new UsageError("See: wallet-session conform --help");
  return code === EXIT.ok ? EXIT.ok : EXIT.failed;
}

/** The file to run, of the package that the project here has, or that stands beside this one. @throws CommandError */
function commandOf(name: string): string {
  for (const from of [join(process.cwd(), "package.json"), import.meta.url]) {
    try {
      const manifest = createRequire(from).resolve(`${name}/package.json`);
      const { bin } = JSON.parse(readFileSync(manifest, "utf8"));
      return join(dirname(manifest), bin[name]);
    } catch {}
  }
  throw new CommandError(
    `conform needs the package ${name}, which is not installed here: npm install --save-dev ${name}`,
  );
}
