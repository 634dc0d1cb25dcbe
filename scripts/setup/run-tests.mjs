// @ts-check
import { relative } from "node:path";
import { parseCLI, startVitest } from "vitest/node";
import { storesLine } from "./stores-line.mjs";
import { count, line } from "./tally.mjs";

/** @typedef {import("vitest/node").TestModule} TestModule */

const SLOWEST = 5;
/** A file that takes longer is named even after the slowest five. */
const SLOW_MS = 10_000;

/**
 * Runs Vitest in this process. The output ends with the slowest files, the notes, the seconds it took and, on a line of its
 * own, `N passed, N failed`.
 *
 * @param {string[]} args paths and options, as `vitest run` takes them
 * @param {{ notes?: (string | undefined)[], started?: number }} [options] `notes`: what the reader should know of what did
 *   not run; `started`: when the whole run began, in epoch milliseconds
 * @returns {Promise<number>} the exit code: not 0 either where no test ran at all
 */
export async function runTests(args, { notes = [], started = Date.now() } = {}) {
  const { filter, options } = parseCLI(["vitest", "run", ...args]);
  const vitest = await startVitest("test", filter, { ...options, watch: false });
  await vitest.close();
  const modules = vitest.state.getTestModules();
  const tally = count(modules, vitest.state.getUnhandledErrors().length);
  for (const note of [...slowest(modules), ...notes, storesLine(modules)]) {
    if (note !== undefined) console.log(note);
  }
  console.log(`The tests took ${Math.round((Date.now() - started) / 1_000)} s in all.`);
  console.log(line(tally));
  return Number(process.exitCode ?? 0) || (tally.passed + tally.failed === 0 ? 1 : 0);
}

/**
 * The test files that took longest, where there were several.
 *
 * @param {TestModule[]} modules
 * @returns {string[]}
 */
function slowest(modules) {
  if (modules.length < 2) return [];
  const times = modules.map((module) => ({
    path: relative(process.cwd(), module.moduleId),
    ms: module.diagnostic().duration,
  }));
  times.sort((one, other) => other.ms - one.ms);
  const shown = times.filter(({ ms }, index) => index < SLOWEST || ms > SLOW_MS);
  return ["Slowest test files:", ...shown.map(({ path, ms }) => `  ${(ms / 1_000).toFixed(1)} s  ${path}`)];
}
