// Runs tests in this process, which run-mutants.ts has started, with one mutant or with none, and sends what came of it. The
// fault goes in as its file is loaded: no file changes.
import { join, relative } from "node:path";
import { startVitest, type TestModule } from "vitest/node";
import { root } from "../setup/root.mjs";
import { MUTANTS, mutated, SOURCES } from "./mutants.ts";

export interface Failure {
  /** The file and the test. */
  readonly where: string;
  readonly words: string;
  /** `other`: it was not a test that failed, but a file that does not load, a hook, or a stray rejection. */
  readonly kind: "assertion" | "timeout" | "other";
}

const [name = "", ...tests] = process.argv.slice(2);
process.once("disconnect", () => process.exit(1));
process.send?.({ failure: await firstFailure() });

/** Null where all tests have passed. */
async function firstFailure(): Promise<Failure | null> {
  const mutant = MUTANTS.find((one) => one.name === name);
  const load = (id: string) => (mutant && id === join(SOURCES, mutant.file) ? mutated(mutant) : null);
  const vitest = await startVitest(
    tests.map((path) => join(SOURCES, path)),
    {
      config: false,
      root,
      watch: false,
      bail: 1,
      reporters: [],
      silent: true,
      // Nothing is left running where this process is ended.
      pool: "threads",
      maxWorkers: mutant === undefined ? 2 : 1,
      // A fault must not stay behind for other runs.
      fsModuleCache: false,
      testTimeout: 15_000,
    },
    { resolve: { tsconfigPaths: true }, plugins: [{ name: "mutant", enforce: "pre", load }] },
  );
  const modules = vitest.state.getTestModules();
  const [stray] = vitest.state.getUnhandledErrors();
  const failure =
    modules.map(failureIn).find((found) => found !== null) ??
    (stray === undefined ? null : failureOf("beside the tests", stray, "other"));
  const ran = modules.some((module) => module.children.allTests("passed").next().value !== undefined);
  await vitest.close();
  return failure ?? (ran ? null : failureOf(tests.join(", "), "no test ran", "other"));
}

function failureIn(module: TestModule): Failure | null {
  const path = relative(SOURCES, module.moduleId);
  for (const test of module.children.allTests("failed")) {
    return failureOf(`${path} > ${test.fullName}`, test.result().errors?.[0], "assertion");
  }
  const [error] = [module, ...module.children.allSuites()].flatMap((part) => [...part.errors()]);
  return error === undefined ? null : failureOf(path, error, "other");
}

function failureOf(where: string, error: unknown, kind: "assertion" | "other"): Failure {
  const message = typeof error === "object" && error !== null && "message" in error ? error.message : error;
  const [words = ""] = `${message}`.split("\n", 1);
  return { where, words, kind: words.startsWith("Test timed out") ? "timeout" : kind };
}
