// @ts-check
import { parseCLI, startVitest } from "vitest/node";
import { storesLine } from "./stores-line.mjs";
import { count, line } from "./tally.mjs";

/**
 * Runs Vitest in this process and ends the output with one plain line, `N passed, N failed`.
 *
 * @param {string[]} args paths and options, as `vitest run` takes them
 * @param {(string | undefined)[]} [notes] what the reader should know of what did not run
 * @returns {Promise<number>} the exit code: not 0 either where no test ran at all
 */
export async function runTests(args, notes = []) {
  const { filter, options } = parseCLI(["vitest", "run", ...args]);
  const vitest = await startVitest("test", filter, { ...options, watch: false });
  await vitest.close();
  const tally = count(vitest.state.getTestModules(), vitest.state.getUnhandledErrors().length);
  const stores = storesLine(vitest.state.getTestModules());
  for (const note of [...notes, stores]) if (note !== undefined) console.log(note);
  console.log(line(tally));
  return Number(process.exitCode ?? 0) || (tally.passed + tally.failed === 0 ? 1 : 0);
}
