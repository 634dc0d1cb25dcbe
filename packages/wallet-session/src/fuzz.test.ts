// `npm run fuzz` looks for inputs; here those that it has found are tried again.
import { expect, test } from "vitest";
import { quoted, readCorpus } from "../test/fuzz/corpus.ts";
import { fuzz, type Target } from "../test/fuzz/fuzz.ts";
import { TARGETS } from "../test/fuzz/targets.ts";

test.each(TARGETS)("$name takes and refuses the inputs of its corpus as it promises", async (target) => {
  const ways = new Set<string>();
  const corpus = readCorpus(target.name);
  for (const input of corpus) {
    try {
      ways.add(await target.run(input));
    } catch (fault) {
      expect.fail(`${quoted(input)}: ${fault}`);
    }
  }
  expect(ways.size).toBeGreaterThan(1);
});

/** Three steps deep, and wrong behind the last. */
const wrong: Target = {
  name: "wrong",
  seeds: ["a quiet input"],
  words: ["key="],
  maxBytes: 64,
  run(input) {
    const text = input.toString("latin1");
    const steps = [/key=/, /key=.*;/, /key=.*\xff.*;/];
    const depth = steps.findIndex((step) => !step.test(text));
    if (depth === -1) throw new Error("found");
    return `depth ${depth}`;
  },
};

test("the fuzzer comes to what is wrong step by step, by the same inputs each time", async () => {
  const run = (seed: string) =>
    fuzz({
      target: wrong,
      corpus: [],
      // The target says itself how far an input got.
      coverage: { take: async () => new Set() },
      seed,
      goesOn: (tried) => tried < 30_000,
    });
  const [one, same, other] = [await run("1"), await run("1"), await run("2")];
  expect(one.findings.map(({ why }) => String(why))).toEqual(["Error: found"]);
  expect(same).toEqual(one);
  expect(other.findings[0]?.input).not.toEqual(one.findings[0]?.input);
});
