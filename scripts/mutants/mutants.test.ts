import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MUTANTS, mutated, readMutants, SOURCES } from "./mutants.ts";

test("each mutant has a name of its own and fits the sources as they are, and its tests are there", () => {
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  for (const mutant of MUTANTS) {
    mutated(mutant);
    expect(mutant.to, mutant.name).not.toBe(mutant.from);
    for (const path of mutant.tests) expect(existsSync(join(SOURCES, path)), path).toBe(true);
  }
});

test("a mutant is read as it is written, and refused where its text is not there, or there twice", () => {
  const list =
    "= engine/rotate.ts: a.test.ts b.test.ts\n# one (hangs): A rule: this.\n- a\n-  b\n+ c\n\n# two: It.\n- return\n";
  const [one, two] = readMutants(list);
  expect(one).toEqual({
    name: "one",
    breaks: "A rule: this.",
    file: "engine/rotate.ts",
    tests: ["a.test.ts", "b.test.ts"],
    hangs: true,
    from: "a\n b",
    to: "c",
  });
  for (const mutant of [one, two]) expect(() => mutant && mutated(mutant)).toThrow("must stand there once");
  expect(() => readMutants("* no line")).toThrow("* no line");
});
