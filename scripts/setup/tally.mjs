// @ts-check
/** @typedef {{ passed: number, failed: number, skipped: number }} Tally */
/** @typedef {import("vitest/node").TestModule} TestModule */

/**
 * Counts what ran. What failed outside any test, such as a file that cannot be loaded, a hook or a stray rejection,
 * counts as one failure each: nothing that makes the run fail may hide behind "0 failed".
 *
 * @param {Iterable<Pick<TestModule, "errors" | "children">>} modules
 * @param {number} strayErrors
 * @returns {Tally}
 */
export function count(modules, strayErrors) {
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

/** @param {Tally} tally */
export function line({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
