import { existsSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { Adapter, CreateAdapter } from "./adapter.ts";
import { jsonOf, junitOf, tableOf } from "./report.ts";
import { hasFailed, runConformance } from "./run.ts";
import { SCENARIOS } from "./scenarios/index.ts";

const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

const OPTIONS = {
  url: { type: "string" },
  adapter: { type: "string" },
  only: { type: "string" },
  rounds: { type: "string" },
  json: { type: "string" },
  junit: { type: "string" },
  list: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

const HELP = `Tries a refresh endpoint with lost answers, tabs, thieves, revocations and restarts.

Usage: refresh-conformance --url URL --adapter FILE [OPTION…]

  --url URL        where the server is
  --adapter FILE   a module whose default export makes the adapter of that server
  --only NAMES     plays these scenarios alone, with commas between
  --rounds N       plays each round of a scenario N times, and 20 times as many revocations
  --json FILE      writes the results as JSON
  --junit FILE     writes the results for build servers
  --list           shows the scenarios, and plays none

Exit codes: 0 all that the server claims holds, 1 something does not, 2 the command line makes no sense.`;

/** A command line that makes no sense; the message says why. */
class UsageError extends Error {
  override readonly name = "UsageError";
}

export interface Output {
  out(line: string): void;
  note(line: string): void;
}

const toProcess: Output = {
  out: (line) => void process.stdout.write(`${line}\n`),
  note: (line) => void process.stderr.write(`${line}\n`),
};

/** Runs one command line, and says what the process ends with. */
export async function main(args: readonly string[], output: Output = toProcess): Promise<number> {
  try {
    return await run(args, output);
  } catch (error) {
    output.note(error instanceof Error ? error.message : String(error));
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

async function run(args: readonly string[], output: Output): Promise<number> {
  const options = parse(args);
  if (options.help === true || options.list === true) {
    output.out(options.help === true ? HELP : SCENARIOS.map(describe).join("\n\n"));
    return EXIT.ok;
  }
  const { url, json, junit } = options;
  if (url === undefined || !URL.canParse(url)) throw new UsageError("--url needs the address of the server.");
  const [only, rounds] = [namesIn(options.only), countIn(options.rounds)];
  const adapter = await loadAdapter(options.adapter, url);
  try {
    const results = await runConformance({
      adapter,
      ...(only && { only }),
      ...(rounds && { effort: { rounds, interleavings: 20 * rounds } }),
      onResult: ({ scenario, status }) => output.note(`${scenario.name}: ${status}`),
    });
    output.out(tableOf(adapter, url, results));
    if (json !== undefined) writeFileSync(json, `${jsonOf(adapter, url, results)}\n`);
    if (junit !== undefined) writeFileSync(junit, junitOf(adapter, results));
    return hasFailed(results) ? EXIT.failed : EXIT.ok;
  } finally {
    await adapter.close?.();
  }
}

/** @throws UsageError */
function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: false }).values;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : error} See: refresh-conformance --help`);
  }
}

/** @throws UsageError */
async function loadAdapter(file: string | undefined, url: string): Promise<Adapter> {
  if (file === undefined || !existsSync(file)) throw new UsageError("--adapter needs a file that exists.");
  const { default: create }: { default?: CreateAdapter } = await import(pathToFileURL(resolve(file)).href);
  if (typeof create !== "function") throw new UsageError(`${file} has no function as its default export.`);
  return create({ url: url.replace(/\/+$/, "") });
}

/** @throws UsageError */
function namesIn(text: string | undefined): readonly string[] | null {
  if (text === undefined) return null;
  const names = text.split(",");
  const unknown = names.find((name) => !SCENARIOS.some((scenario) => scenario.name === name));
  if (unknown !== undefined) throw new UsageError(`There is no scenario "${unknown}". See --list.`);
  return names;
}

/** @throws UsageError */
function countIn(text: string | undefined): number | null {
  if (text === undefined) return null;
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new UsageError("--rounds needs a whole number above 0.");
  return count;
}

function describe({ name, proves, failureMeans, seenIn }: (typeof SCENARIOS)[number]): string {
  return [name, `  ${proves}`, `  If not: ${failureMeans}`, `  Seen in public: ${seenIn}`].join("\n");
}
