// npm run mutants [-- NAME…]: puts faults into the product, one at a time, and prints which test has seen each
// (scripts/mutants). Fails where none has.
import { MUTANTS } from "./mutants/mutants.ts";
import { runMutants } from "./mutants/run-mutants.ts";

const begun = performance.now();
const names = process.argv.slice(2);
const unknown = names.filter((name) => !MUTANTS.some((mutant) => mutant.name === name));
if (unknown.length > 0) {
  console.error(`There is no mutant ${unknown.join(", ")}.`);
  process.exit(1);
}
const mutants = MUTANTS.filter(({ name }) => names.length === 0 || names.includes(name));
const { tried, survivors } = await runMutants(mutants, console.log);
const seconds = Math.round((performance.now() - begun) / 1_000);
console.log(`${tried} mutants in ${seconds} s. Not seen: ${survivors.join(", ") || "none"}.`);
process.exit(survivors.length > 0 ? 1 : 0);
