import { relative } from "node:path";
import { parseCLI, startVitest, type TestModule } from "vitest/node";

const SLOWEST = 5;
/** A file that takes longer is named even after the slowest five. */
const SLOW_MS = 10_000;
const STORES = { memory: "memory", sqlite: "SQLite", postgres: "PostgreSQL", redis: "Redis" };

/**
 * Runs Vitest in this process, with the paths and options of `vitest run`. The output ends with the slowest files, the notes
 * on what did not run, the seconds since `started` and, on a line of its own, `N passed, N failed`. Returns the exit code: not
 * 0 either where no test ran at all.
 */
export async function runTests(
  args: readonly string[],
  { notes = [], started = Date.now() }: { notes?: readonly (string | null)[]; started?: number } = {},
): Promise<number> {
  const { filter, options } = parseCLI(["vitest", "run", ...args]);
  const vitest = await startVitest("test", filter, { ...options, watch: false });
  await vitest.close();
  const modules = vitest.state.getTestModules();
  const { passed, failed, skipped } = count(modules, vitest.state.getUnhandledErrors().length);
  for (const note of [...slowest(modules), ...notes, storesLine(modules)]) {
    if (note !== null) console.log(note);
  }
  console.log(`The tests took ${Math.round((Date.now() - started) / 1_000)} s in all.`);
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  return Number(process.exitCode ?? 0) || (passed + failed === 0 ? 1 : 0);
}

/**
 * Counts what ran. What failed outside any test, such as a file that cannot be loaded, a hook or a stray rejection,
 * counts as one failure each: nothing that makes the run fail may hide behind "0 failed".
 */
function count(modules: readonly TestModule[], strayErrors: number) {
  const tally = { passed: 0, failed: strayErrors, skipped: 0 };
  for (const module of modules) {
    tally.failed += module.errors().length;
    for (const suite of module.children.allSuites()) tally.failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      // A test that never got to run is no success.
      tally[state === "pending" ? "failed" : state] += 1;
    }
  }
  return tally;
}

/** The test files that took longest, where there were several. */
function slowest(modules: readonly TestModule[]): string[] {
  if (modules.length < 2) return [];
  const times = modules.map((module) => ({
    path: relative(process.cwd(), module.moduleId),
    ms: module.diagnostic().duration,
  }));
  times.sort((one, other) => other.ms - one.ms);
  const shown = times.filter(({ ms }, index) => index < SLOWEST || ms > SLOW_MS);
  return ["Slowest test files:", ...shown.map(({ path, ms }) => `  ${(ms / 1_000).toFixed(1)} s  ${path}`)];
}

/** Which stores have gone through the conformance suite in this run; null where it was not about them. */
export function storesLine(modules: readonly Pick<TestModule, "moduleId">[]): string | null {
  const files = new Set(modules.map(({ moduleId }) => moduleId.split(/[\\/]stores[\\/]/)[1]));
  const named = (ran: boolean) =>
    Object.entries(STORES).flatMap(([file, name]) => (files.has(`${file}.test.ts`) === ran ? [name] : []));
  if (named(true).length === 0) return null;
  const rest = named(false).length === 0 ? "" : ` Not: ${named(false).join(", ")}.`;
  return `Stores in the conformance suite: ${named(true).join(", ")}.${rest}`;
}
