// npm run fuzz -- --seconds 60 [TARGET…] [--seed N] [--keep]: tries inputs that nobody thought of on each parser of what strangers
// send, for so long on each (packages/wallet-session/test/fuzz). --keep writes what was reached into the corpus, which `npm test`
// reads.
import { parseArgs } from "node:util";
import { quoted, readCorpus, writeCorpus } from "../packages/wallet-session/test/fuzz/corpus.ts";
import { startCoverage } from "../packages/wallet-session/test/fuzz/coverage.ts";
import { fuzz } from "../packages/wallet-session/test/fuzz/fuzz.ts";
import { TARGETS } from "../packages/wallet-session/test/fuzz/targets.ts";
import { findSuperlinear } from "../packages/wallet-session/test/fuzz/work.ts";

/** Repeated to a long input and to one four times as long. */
const PATTERNS = 300;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "10" },
    seed: { type: "string", default: "1" },
    keep: { type: "boolean", default: false },
  },
});
const unknown = positionals.filter((name) => !TARGETS.some((target) => target.name === name));
if (unknown.length > 0) {
  console.error(
    `No such target: ${unknown.join(", ")}. There are: ${TARGETS.map(({ name }) => name).join(", ")}`,
  );
  process.exit(2);
}

const coverage = await startCoverage();
let findings = 0;
for (const target of TARGETS) {
  if (positionals.length > 0 && !positionals.includes(target.name)) continue;
  const begun = performance.now();
  const seconds = () => (performance.now() - begun) / 1_000;
  const fuzzed = await fuzz({
    target,
    corpus: readCorpus(target.name),
    coverage,
    seed: values.seed,
    goesOn: () => seconds() < Number(values.seconds),
  });
  const slow = await findSuperlinear(target, fuzzed.corpus, { seed: values.seed, patterns: PATTERNS });
  const each = [`${fuzzed.tried} inputs`, `${fuzzed.blocks} ways`, `${fuzzed.corpus.length} kept`];
  console.log(target.name.padEnd(22), each.map((figure) => figure.padStart(16)).join(""));
  for (const { input, why } of [...fuzzed.findings, ...slow]) {
    findings += 1;
    console.log(`  ${quoted(input)}\n  `, why);
  }
  if (values.keep) writeCorpus(target.name, fuzzed.corpus);
}
process.exit(findings > 0 ? 1 : 0);
