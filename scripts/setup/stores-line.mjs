// @ts-check
/** @typedef {import("vitest/node").TestModule} TestModule */

const STORES = [
  ["memory", "memory"],
  ["sqlite", "SQLite"],
  ["postgres", "PostgreSQL"],
  ["redis", "Redis"],
];

/**
 * Which stores have gone through the conformance suite in this run; nothing where it was not about them.
 *
 * @param {Iterable<Pick<TestModule, "moduleId">>} modules
 * @returns {string | undefined}
 */
export function storesLine(modules) {
  const files = new Set(Array.from(modules, ({ moduleId }) => moduleId.split(/[\\/]stores[\\/]/)[1]));
  const [ran, not] = [true, false].map((wanted) =>
    STORES.filter(([file]) => files.has(`${file}.test.ts`) === wanted).map(([, name]) => name),
  );
  if (ran === undefined || not === undefined || ran.length === 0) return undefined;
  const rest = not.length === 0 ? "" : ` Not: ${not.join(", ")}.`;
  return `Stores in the conformance suite: ${ran.join(", ")}.${rest}`;
}
