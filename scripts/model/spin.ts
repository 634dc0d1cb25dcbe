// Runs Spin: generates a verifier from model/, compiles it and runs it, all in a directory of the run's own.
import { mkdirSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { runQuietly } from "../setup/child.mjs";
import { root } from "../setup/root.mjs";
import { fileOf, type Property, type Run } from "./runs.ts";

export interface Finding {
  /** The property that fails; null: the whole state space was searched, and all hold. */
  readonly failed: Property | null;
  /** Why the run says nothing, or null. */
  readonly fault: string | null;
  readonly states: number;
  readonly seconds: number;
}

const modelOf = (run: Run) => join(root, "model", fileOf(run));
/** Far more than any run needs: a run that reaches it is a fault. */
const DEPTH = 2_000_000;

/** The first of the programs that is missing, or null. */
export async function missingProgram(): Promise<string | null> {
  for (const [command, flag] of [
    ["spin", "-V"],
    ["gcc", "--version"],
  ] as const) {
    const found = await runQuietly({ command, args: [flag] }).catch(() => null);
    if (found?.code !== 0) return command;
  }
  return null;
}

/** Runs all, as many at once as there are cores. Returns those that did not end as they should. */
export async function runAll(
  runs: readonly Run[],
  directory: string,
  onRun: (run: Run, finding: Finding, isRight: boolean) => void = () => {},
): Promise<Run[]> {
  const waiting = [...runs.entries()];
  const wrong: Run[] = [];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, run] = next;
      const home = join(directory, String(index));
      const finding = await verify(run, home);
      rmSync(home, { recursive: true, force: true });
      const isRight = finding.fault === null && finding.failed === run.fails;
      if (!isRight) wrong.push(run);
      onRun(run, finding, isRight);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return wrong;
}

/** Searches depth first, to the end or to the first failure. */
async function verify(run: Run, directory: string): Promise<Finding> {
  // A variant fails after few states, so its compiling is what takes time.
  return search(run, directory, [run.fails === null ? "-O1" : "-O0", "-DCOLLAPSE"]);
}

/** The shortest way to the failure, in words; null where there is none. */
export async function story(run: Run, directory: string): Promise<string[] | null> {
  const { failed } = await search(run, directory, ["-O2", "-DBFS"]);
  if (failed === null) return null;
  const args = [...definitions(run), "-k", `${fileOf(run)}.trail`, "-t", "-T", "-B", modelOf(run)];
  const { output } = await runQuietly({ command: "spin", args, cwd: directory });
  return output.split("\n").filter((line) => line !== "" && !line.startsWith("spin:"));
}

async function search(run: Run, directory: string, flags: readonly string[]): Promise<Finding> {
  mkdirSync(directory, { recursive: true });
  const began = Date.now();
  const steps: [command: string, args: string[]][] = [
    ["spin", [...definitions(run), "-a", modelOf(run)]],
    ["gcc", [...flags, "-DSAFETY", "-DVECTORSZ=2048", "-o", "pan", "pan.c"]],
    [join(directory, "pan"), [`-m${flags.includes("-DBFS") ? 10_000 : DEPTH}`]],
  ];
  let output = "";
  for (const [command, args] of steps) {
    const result = await runQuietly({ command, args, cwd: directory });
    output = result.output;
    if (result.code !== 0) return { failed: null, fault: output, states: 0, seconds: secondsSince(began) };
  }
  return { ...readFinding(output), seconds: secondsSince(began) };
}

/** Reads what the verifier prints. Anything but a failed property or a whole search is a fault. */
function readFinding(output: string): Omit<Finding, "seconds"> {
  const states = Number(/(\d+) states, stored/.exec(output)?.[1] ?? 0);
  const failed = /assertion violated (P\d)_holds/.exec(output)?.[1] as Property | undefined;
  if (failed !== undefined) return { failed, fault: null, states };
  const isWhole =
    /errors: 0\b/.test(output) && !/not completed|too small|truncated|reached -DMEMLIM/.test(output);
  return { failed: null, fault: isWhole ? null : output, states };
}

function definitions(run: Run): string[] {
  return run.macros.map((macro) => `-D${macro}`);
}

function secondsSince(time: number): number {
  return (Date.now() - time) / 1_000;
}
