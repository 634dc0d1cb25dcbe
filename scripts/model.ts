// npm run model: checks the model of the rotation protocol (model/README.md): with all its rules it holds, without any of them
// it fails.
//   npm run model -- WITHOUT_REUSE   tells how it fails without that rule
//   npm run model -- --large         searches larger worlds: minutes, gigabytes
// As a check (`--check`) it prints no table, and passes where Spin is not installed, unless in CI.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fullRuns, PROPERTIES, type Run, variantRuns } from "./model/runs.ts";
import { type Finding, missingProgram, runAll, story } from "./model/spin.ts";

const [asked] = process.argv.slice(2);
const isCheck = asked === "--check";
const directory = mkdtempSync(join(tmpdir(), "model-"));
try {
  process.exitCode = await main();
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function main(): Promise<number> {
  const missing = await missingProgram();
  if (missing !== null) {
    console.error(
      `The model was NOT checked: there is no ${missing}. On Debian: apt-get install spin gcc libc6-dev`,
    );
    return isCheck && !process.env.CI ? 0 : 2;
  }
  if (asked?.startsWith("WITHOUT_")) return tell(asked);
  if (asked !== undefined && asked !== "--large" && !isCheck) {
    console.error(`"${asked}" is neither --large nor a rule: ${ruleNames().join(", ")}`);
    return 2;
  }
  return check(asked === "--large" ? fullRuns(true) : [...fullRuns(false), ...variantRuns()]);
}

/** Tells the shortest story of what happens without a rule. */
async function tell(rule: string): Promise<number> {
  const runs = variantRuns().filter(({ name }) => name === rule);
  if (runs.length === 0) {
    console.error(`No rule is called "${rule}". They are ${ruleNames().join(", ")}`);
    return 2;
  }
  for (const run of runs) await tellOf(run);
  return 0;
}

async function tellOf(run: Run): Promise<void> {
  const lines = await story(run, join(directory, "story"));
  if (lines === null) return console.log("The search found nothing.");
  console.log(
    `${run.name}, ${run.world}: ${run.fails === null ? "a property fails." : PROPERTIES[run.fails]}`,
  );
  for (const line of lines) console.log(`  ${line}`);
}

function ruleNames(): string[] {
  const names = variantRuns().flatMap(({ name }) => (name.startsWith("WITHOUT_") ? [name] : []));
  return [...new Set(names)];
}

/** Runs all and prints a line for each. Returns the exit code. */
async function check(runs: readonly Run[]): Promise<number> {
  const began = Date.now();
  if (!isCheck) printLine("rule", "world", "fails", "states", "seconds");
  const wrong = await runAll(runs, directory, report);
  const seconds = ((Date.now() - began) / 1_000).toFixed(1);
  console.log(`${runs.length - wrong.length} of ${runs.length} runs ended as they should, in ${seconds} s.`);
  for (const run of wrong) if (run.fails === null) await tellOf(run);
  return wrong.length === 0 ? 0 : 1;
}

function report(run: Run, { failed, fault, states, seconds }: Finding, isRight: boolean): void {
  if (isCheck && isRight) return;
  const verdict = fault === null ? (failed ?? "holds") : "FAULT";
  const mark = isRight ? verdict : `${verdict}, should be ${run.fails ?? "holds"}`;
  printLine(run.name, run.world, mark, String(states), seconds.toFixed(1));
  if (fault !== null) console.log(fault);
}

function printLine(rule: string, world: string, fails: string, states: string, seconds: string): void {
  console.log(
    `${rule.padEnd(32)} ${world.padEnd(17)} ${fails.padEnd(6)} ${states.padStart(9)} ${seconds.padStart(8)}`,
  );
}
